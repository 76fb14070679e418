/**
 * Time as the client sees it. Everything in `client/` that waits takes a `Clock`, so that a test can run two
 * hours in a moment.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `callback` once, `delayMs` milliseconds from now, unless the returned timer is cancelled first. */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** A scheduled callback. */
export interface Timer {
  /** Forgets the callback; harmless when it has run already. */
  cancel(): void;
}

/** The longest wait, in milliseconds, some eleven days: beyond 2^31 - 1, HTML and Node alike run a timer at once. */
const LONGEST_MS = 1e9;

/** The machine's clock. Its timers keep a Node process alive: somebody waits for what they do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, callback) {
    const timeout = setTimeout(callback, Math.min(delayMs, LONGEST_MS));
    return { cancel: () => clearTimeout(timeout) };
  },
};
