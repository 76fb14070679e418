import type { Clock } from '../clock.ts';

/** `ThrottlingRateLimit` and `ThrottlingBurstLimit` of a stage's route settings: requests a second, and at once. */
export interface Throttling {
  readonly rateLimit: number;
  readonly burstLimit: number;
}

/** A token bucket, as API Gateway throttles with (APIGW:websocket-api-protect; aws-facts 1.8). */
export class TokenBucket {
  readonly #throttling: Throttling;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  /** The bucket is full at first: a burst is served at once. */
  constructor(throttling: Throttling, clock: Clock) {
    this.#throttling = throttling;
    this.#clock = clock;
    this.#tokens = throttling.burstLimit;
    this.#filledAt = clock.now();
  }

  /** Takes one token; false when there is none, so that the request is to be refused. */
  take(): boolean {
    const now = this.#clock.now();
    const gained = ((now - this.#filledAt) / 1000) * this.#throttling.rateLimit;
    this.#tokens = Math.min(this.#throttling.burstLimit, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/**
 * One bucket a route, all with the stage's default route settings. AWS does not say whether the default
 * counts per route or per stage; it calls it a *route* setting, so it is per route here.
 */
export class RouteThrottle {
  readonly #throttling: Throttling | undefined;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  /** Without `throttling` nothing is ever refused. */
  constructor(throttling: Throttling | undefined, clock: Clock) {
    this.#throttling = throttling;
    this.#clock = clock;
  }

  /** Whether one more request of the route may pass now. */
  admits(routeKey: string): boolean {
    if (this.#throttling === undefined) return true;
    let bucket = this.#buckets.get(routeKey);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#throttling, this.#clock);
      this.#buckets.set(routeKey, bucket);
    }
    return bucket.take();
  }
}
