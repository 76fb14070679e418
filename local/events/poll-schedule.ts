import type { Clock, Timer } from '../clock.ts';

/** Lambda polls each shard four times a second (aws-facts 3.2). */
const BASE_DELAY_MS = 250;
/** After a wake: a stream may show a record a moment after the write was answered. */
const QUICK_DELAYS_MS = [2, 5, 10, 20, 40];

/**
 * When to read a shard next: at the base rate of Lambda, and at once after `wake`, so that a write on this
 * machine shows within milliseconds and an idle machine does nothing.
 */
export class PollSchedule {
  readonly #clock: Clock;
  #quickDelays: number[] = [];
  #woken = false;
  #closed = false;
  #timer: Timer | undefined;
  #resume: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was written. A wake while a read is under way leads to one more read. */
  wake(): void {
    this.#woken = true;
    this.#interrupt();
  }

  /** Waits until the next read is due; `found` tells whether the last one brought records. */
  async next(found: boolean): Promise<void> {
    // More may be there.
    if (found || this.#closed) return;
    if (!this.#woken) {
      const delayMs = this.#quickDelays.shift() ?? BASE_DELAY_MS;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        this.#timer = this.#clock.schedule(delayMs, () => this.#interrupt());
      });
    }
    if (this.#woken) {
      this.#woken = false;
      this.#quickDelays = [...QUICK_DELAYS_MS];
    }
  }

  /** Ends the wait under way and all later ones. */
  close(): void {
    this.#closed = true;
    this.#interrupt();
  }

  #interrupt(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#resume?.();
    this.#resume = undefined;
  }
}
