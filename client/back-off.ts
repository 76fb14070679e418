/**
 * The ceiling of the first delay, in milliseconds, which doubles with every attempt: within half a second, on average
 * a quarter, so that a dropped Wi-Fi packet is hardly seen.
 */
export const BASE_MS = 500;

/** What the ceiling never exceeds, so that a server that comes back is found while somebody still looks. */
export const MAXIMUM_MS = 30_000;

/** Counts attempts and says how long to wait before the next. */
export interface BackOff {
  /**
   * The delay before the next attempt, in milliseconds: full jitter, that is anything from 0 up to the ceiling, so
   * that clients which lost one server together do not return together
   * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). The peer's own `retryAfterMs` is a
   * floor that the jitter comes on top of: whom it was told to, was told so together with others.
   */
  nextDelayMs(retryAfterMs?: number): number;
  /** Begins anew with short delays: call it when the connection has proved stable, not when it has opened. */
  reset(): void;
}

/**
 * See `BackOff`.
 * @param random gives a number of [0, 1)
 */
export function createBackOff(random: () => number): BackOff {
  let attempts = 0;
  return {
    nextDelayMs(retryAfterMs = 0) {
      const ceiling = BASE_MS * 2 ** attempts; // Infinity at 1024: the minimum makes that the maximum
      attempts += 1;
      return retryAfterMs + random() * Math.min(MAXIMUM_MS, ceiling);
    },
    reset() {
      attempts = 0;
    },
  };
}
