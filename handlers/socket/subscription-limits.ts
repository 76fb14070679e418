/**
 * How long a subscription counts, in milliseconds: ten minutes more than the two hours that a connection can live
 * (aws-facts 1.8), so that a row never ends before its connection and needs no renewal.
 */
export const SUBSCRIPTION_MILLISECONDS = 130 * 60_000;

/**
 * How long a 410 may mean that a connection is not there yet, in milliseconds: $connect has failed or succeeded
 * by the integration's limit of 29 s (aws-facts 1.8), and the connection exists shortly after (aws-facts 2).
 */
export const CONNECTING_MILLISECONDS = 30_000;

/** How many topics one connection may watch. */
export const MAXIMUM_SUBSCRIPTIONS = 100;

/** A moment so many milliseconds after another, in RFC 3339. */
export function after(at: Date, milliseconds: number): string {
  return new Date(at.getTime() + milliseconds).toISOString();
}
