import type { Clock, Timer } from '../clock.ts';

/** Lambda polls each shard four times a second (aws-facts 3.2). */
const BASE_DELAY_MS = 250;
/**
 * While a record is owed that the last read did not bring. DynamoDB Local 3.3.1 shows a record as soon as its write
 * is answered (400 of 400), so these are for writes that changed nothing, and for a release that is not as prompt.
 */
const QUICK_DELAYS_MS = [2, 5, 10, 20, 40];
/** Before another look for a record that was probably read before its write was announced. */
const DOUBTFUL_DELAY_MS = 20;

/**
 * When to read a shard next: at the base rate of Lambda, and at once after `wake`, so that a write on this
 * machine shows within milliseconds and an idle machine does nothing.
 *
 * Each `wake` announces a record. Once as many were read as were announced there is nothing to look for, and a read
 * that would bring nothing is not made: on a busy machine such reads cost more than those that bring something.
 */
export class PollSchedule {
  readonly #clock: Clock;
  #quickDelays: number[] = [];
  /** Records that were announced and not read. */
  #owed = 0;
  /** Records of the last read that nobody had announced: of old, or about to be announced. */
  #early = 0;
  /** Whether something was announced while a read was under way. */
  #woken = false;
  #closed = false;
  #timer: Timer | undefined;
  #resume: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was written. A wake while a read is under way leads to one more read, unless that one brings it. */
  wake(): void {
    this.#owed += 1;
    this.#quickDelays = [...QUICK_DELAYS_MS];
    if (this.#resume === undefined) this.#woken = true;
    else this.#interrupt();
  }

  /** Waits until the next read is due; `found` tells how many records the last one brought. */
  async next(found: number): Promise<void> {
    const doubtful = Math.min(this.#early, this.#owed);
    this.#early = Math.max(0, found - this.#owed);
    this.#owed = Math.max(0, this.#owed - found);
    const woken = this.#woken;
    this.#woken = false;
    // More may be there than anybody announced.
    if (this.#closed || this.#early > 0) return;
    if (woken && this.#owed > doubtful) return;
    if (woken && this.#owed > 0) this.#quickDelays = [DOUBTFUL_DELAY_MS];
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      this.#timer = this.#clock.schedule(this.#delayMs(), () => this.#interrupt());
    });
  }

  /** Ends the wait under way and all later ones. */
  close(): void {
    this.#closed = true;
    this.#interrupt();
  }

  #delayMs(): number {
    const quickMs = this.#owed > 0 ? this.#quickDelays.shift() : undefined;
    if (quickMs !== undefined) return quickMs;
    // Nothing came: the write changed nothing, so that the stream has no record of it.
    this.#owed = 0;
    return BASE_DELAY_MS;
  }

  #interrupt(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#resume?.();
    this.#resume = undefined;
  }
}
