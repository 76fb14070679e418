/** The shape of a back-off, in milliseconds. */
export interface BackOffLimits {
  /** The ceiling of the first delay; it doubles with every attempt. */
  readonly baseMs: number;
  /** What the ceiling never exceeds. */
  readonly maximumMs: number;
}

/**
 * A first retry within half a second on average a quarter, so that a dropped Wi-Fi packet is hardly seen; never
 * rarer than every 30 seconds, so that a server that comes back is found while somebody still looks.
 */
export const DEFAULT_BACK_OFF: BackOffLimits = { baseMs: 500, maximumMs: 30_000 };

/**
 * The delay before attempt number `attempt` (from 0), in milliseconds: full jitter, that is anything from 0 up to
 * the ceiling `baseMs * 2^attempt`, so that clients which lost one server together do not return together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param random a number of [0, 1)
 */
export function fullJitterMs(attempt: number, random: number, limits: BackOffLimits): number {
  // 2 ** 1024 is Infinity: the minimum makes that the maximum.
  return random * Math.min(limits.maximumMs, limits.baseMs * 2 ** attempt);
}

/** Counts attempts and says how long to wait before the next. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: () => number;
  #attempt = 0;

  constructor(random: () => number, limits: BackOffLimits = DEFAULT_BACK_OFF) {
    this.#random = random;
    this.#limits = limits;
  }

  /**
   * The delay before the next attempt, in milliseconds. The peer's own `retryAfterMs` is a floor that the jitter
   * comes on top of: whom it was told to, was told so together with others.
   */
  nextDelayMs(retryAfterMs = 0): number {
    const jitter = fullJitterMs(this.#attempt, this.#random(), this.#limits);
    this.#attempt += 1;
    return retryAfterMs + jitter;
  }

  /** Begins anew with short delays: call it when the connection has proved stable, not when it has opened. */
  reset(): void {
    this.#attempt = 0;
  }
}
