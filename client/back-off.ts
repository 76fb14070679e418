/**
 * The ceiling of the first delay, in milliseconds, which doubles with every attempt: within half a second, on average
 * a quarter, so that a dropped Wi-Fi packet is hardly seen.
 */
export const BASE_MS = 500;

/** What the ceiling never exceeds, so that a server that comes back is found while somebody still looks. */
export const MAXIMUM_MS = 30_000;

/**
 * The delay before an attempt, in milliseconds: full jitter, that is anything from 0 up to the ceiling, so that clients
 * which lost one server together do not return together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param random gives a number of [0, 1)
 * @param attempt how many have failed before it since all was well
 * @param retryAfterMs what the peer asked for: a floor that the jitter comes on top of, since whom it was told to, was
 * told so together with others
 */
export function backOffMs(random: () => number, attempt: number, retryAfterMs = 0): number {
  // The power is Infinity from 1024 on: the minimum makes that the maximum.
  return retryAfterMs + random() * Math.min(MAXIMUM_MS, BASE_MS * 2 ** attempt);
}

/** Counts attempts and says how long to wait before the next. */
export interface BackOff {
  /** See `backOffMs`. */
  nextDelayMs(retryAfterMs?: number): number;
  /** Begins anew with short delays: call it when the connection has proved stable, not when it has opened. */
  reset(): void;
}

/** See `BackOff` and `backOffMs`. */
export function createBackOff(random: () => number): BackOff {
  let attempts = 0;
  return {
    nextDelayMs: (retryAfterMs) => backOffMs(random, attempts++, retryAfterMs),
    reset() {
      attempts = 0;
    },
  };
}
