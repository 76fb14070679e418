/** How API Gateway throttles: tokens come at a steady rate, up to the burst, and each request takes one. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at = 0;

  /** Full at first. A burst below one would never let anything through. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(1, burst);
    this.#tokens = this.#burst;
  }

  /** Takes a token at a moment, in seconds; false where there is none. Moments must not go back. */
  take(at: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (at - this.#at) * this.#perSecond);
    this.#at = at;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
