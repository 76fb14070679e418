/** What runs at a time: as many as the SDK's NodeHttpHandler has sockets (aws-facts 2); more would only wait. */
export const CONCURRENCY = 50;

/**
 * The largest audience that `publish` posts to itself, and what one message of the broadcasts queue is worth, in
 * rows: what one execution environment posts in about a second at its share of the account's limit.
 */
export const PORTION = 1_000;
