/**
 * How far this device's clock is ahead of the server's, in milliseconds, as far as there is evidence.
 *
 * Latency is a difference between two clocks: the commit's by the server, the arrival's by this device. Nothing
 * arrives before it is committed, so a frame bounds the difference from above; a request whose answer names the
 * server's time bounds it from both sides, since that time lies between sending and answer. `value` is the
 * smallest correction that fits all evidence: 0 where the clocks may agree.
 *
 * A device's clock is set now and then (NTP steps, sleep): evidence that contradicts what was believed replaces it.
 */
export class ClockOffset {
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;

  /** The server's clock showed between `serverFrom` and `serverTo` while this device's went from `sent` to `answered`. */
  observeAnswer(sent: number, answered: number, serverFrom: number, serverTo = serverFrom): void {
    this.#narrow(sent - serverTo, answered - serverFrom);
  }

  /** Something that the server committed at `committed` was here at `arrived`. */
  observeArrival(committed: number, arrived: number): void {
    this.#narrow(Number.NEGATIVE_INFINITY, arrived - committed);
  }

  /** To be subtracted from this device's time. */
  get value(): number {
    return Math.min(Math.max(0, this.#least), this.#most);
  }

  /** Whether a request has bounded the difference from both sides. */
  get checked(): boolean {
    return Number.isFinite(this.#least);
  }

  #narrow(least: number, most: number): void {
    if (least > this.#most || most < this.#least) {
      this.#least = least;
      this.#most = most;
      return;
    }
    this.#least = Math.max(this.#least, least);
    this.#most = Math.min(this.#most, most);
  }
}
