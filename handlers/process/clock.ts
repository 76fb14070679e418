/** Time as the process stage sees it, so that a test can run fifteen minutes in a moment. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `callback` once, `delayMs` milliseconds from now, unless it is cancelled first. */
  schedule(delayMs: number, callback: () => void): { cancel(): void };
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, callback) {
    const timeout = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** The time as the wire contract writes it. */
export function timestampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
