/**
 * What AWS and the template allow, and what the client does: the figures that decide how far the system scales.
 * test/bench/scale.test.ts compares those of ours with the sources; AWS's are from aws-facts 1.8 and 6.
 */

/** Requests a second of an account and Region, and at once: all APIs, frames of clients and posts together. */
export const ACCOUNT_REQUESTS = 10_000;
export const ACCOUNT_BURST = 5_000;

/** What posts to large audiences take of it (infrastructure/settings.ts, `postsPerSecond`): the rest is others'. */
export const POSTS_SHARE = 0.5;

/** New WebSocket connections a second, and at once. */
export const CONNECTS_PER_SECOND = 500;
export const CONNECT_BURST = 500;

/** What the stage of the HTTP API lets through a second, and at once (infrastructure/http-api.ts). */
export const HTTP_REQUESTS = 100;
export const HTTP_BURST = 200;

/** Frames of clients that the stage of the socket lets through a second, and at once (infrastructure/socket-stage.ts). */
export const SOCKET_FRAMES = 2_000;
export const SOCKET_BURST = 1_000;

/** Invocations of Lambda that run at a time, in an account. */
export const LAMBDA_CONCURRENCY = 1_000;

/** Read and write units a second of one partition of a table; a topic is a partition key. */
export const PARTITION_READS = 3_000;
export const PARTITION_WRITES = 1_000;

/** Rows of watchers in a read unit of 4 KB: ARCHITECTURE.md, "Reads and writes". */
export const WATCHERS_IN_A_UNIT = 37;

/** Bytes of a row of the subscriptions table: its keys and times, and what DynamoDB adds to each for storage. */
export const ROW_BYTES = 110 + 100;

/** How long a client keeps a connection, on average, in seconds: 110 minutes, up to a tenth less. */
export const CONNECTION_SECONDS = 6_600 * 0.95;
