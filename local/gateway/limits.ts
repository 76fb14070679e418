/**
 * The numbers of API Gateway, each with its source. "Quotas" is
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */

/** Bytes of payload in one WebSocket frame from the client; more closes with 1009 (Quotas; aws-facts 1.8). */
export const MAXIMUM_FRAME_BYTES = 32 * 1024;

/** Bytes of one WebSocket message, in either direction; more closes with 1009, or is a 413 (Quotas; aws-facts 1.8, 2). */
export const MAXIMUM_MESSAGE_BYTES = 128 * 1024;

/** Milliseconds without a message in either direction before 1001 "Going away" (Quotas; aws-facts 1.2). */
export const IDLE_TIMEOUT_MS = 10 * 60 * 1000;

/** Milliseconds that a connection may live, however busy, before 1001 "Going away" (Quotas; aws-facts 1.2). */
export const MAXIMUM_CONNECTION_MS = 2 * 60 * 60 * 1000;

/** Shortest integration time-out that a WebSocket API takes, in milliseconds (Quotas). */
export const MINIMUM_INTEGRATION_TIMEOUT_MS = 50;

/** Longest integration time-out of a WebSocket API, in milliseconds; cannot be raised (Quotas). */
export const MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS = 29_000;

/** Longest integration time-out of an HTTP API, in milliseconds (APIGW:limits; aws-facts 6). */
export const MAXIMUM_HTTP_INTEGRATION_TIMEOUT_MS = 30_000;

/** Characters in the URL of a WebSocket handshake (Quotas). */
export const MAXIMUM_URL_CHARACTERS = 4096;

/** Bytes of an authorizer's result; more is a failed authorizer, hence 500 (aws-facts 1.6). */
export const MAXIMUM_AUTHORIZER_RESULT_BYTES = 8 * 1024;

/** Milliseconds that an HTTP API waits for its Lambda authorizer (APIGW:limits; aws-facts 6). */
export const HTTP_AUTHORIZER_TIMEOUT_MS = 10_000;

/** Bytes of a request's body at an HTTP API; more is a 413 (APIGW:limits; aws-facts 6). */
export const MAXIMUM_HTTP_BODY_BYTES = 10 * 1024 * 1024;

/** Bytes of request line and headers at an HTTP API; more is a 431 (APIGW:limits; aws-facts 6). */
export const MAXIMUM_HTTP_HEADER_BYTES = 10_240;

/**
 * Bytes of the event that a synchronous invocation takes; a request within 10 MB can still exceed it, base64
 * adding a third (LDG:gettingstarted-limits; aws-facts 6). Which status a client sees then is not documented.
 */
export const MAXIMUM_INVOCATION_BYTES = 6 * 1024 * 1024;

/**
 * Bytes that may wait for a slow client before a post is refused with 429 "the WebSocket client side buffer
 * is full". AWS documents the error but not the size: this one is ours.
 */
export const CLIENT_BUFFER_BYTES = 1024 * 1024;

/** Milliseconds that a closing handshake may take before the socket is dropped; ours, undocumented at AWS. */
export const CLOSE_HANDSHAKE_TIMEOUT_MS = 2_000;

/** Milliseconds that `close()` waits for functions that still run; ours. */
export const CLOSE_GRACE_MS = 5_000;

/** Paths that API Gateway keeps for itself (APIGW:api-gateway-known-issues; aws-facts 1.8). */
export const RESERVED_PATHS: readonly string[] = ['ping', 'sping'];
