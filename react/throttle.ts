import { type Clock, systemClock, type Timer } from '../client/clock.ts';

/**
 * Runs something at most once in `intervalMs` milliseconds: at once when the last time is long enough ago,
 * otherwise when it is. So the first and the last of a burst are always seen.
 */
export class Throttle {
  readonly #intervalMs: number;
  readonly #run: () => void;
  readonly #clock: Clock;
  #lastRunAt: number | undefined;
  #timer: Timer | undefined;

  constructor(intervalMs: number, run: () => void, clock: Clock = systemClock) {
    this.#intervalMs = intervalMs;
    this.#run = run;
    this.#clock = clock;
  }

  /** Asks for a run. */
  request(): void {
    if (this.#timer !== undefined) return;
    const now = this.#clock.now();
    // A clock that was set back must not make the wait longer than one interval.
    const sinceLast = this.#lastRunAt === undefined ? this.#intervalMs : Math.max(0, now - this.#lastRunAt);
    if (sinceLast >= this.#intervalMs) this.flush();
    else this.#timer = this.#clock.schedule(this.#intervalMs - sinceLast, () => this.flush());
  }

  /** Runs now, whatever the interval says: what cannot be followed by anything better should not wait. */
  flush(): void {
    this.cancel();
    this.#lastRunAt = this.#clock.now();
    this.#run();
  }

  /** Forgets a run that was asked for. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
