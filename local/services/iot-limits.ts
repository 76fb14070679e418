/**
 * The numbers of AWS IoT Core, each with its source. "Quotas" is "AWS IoT Core endpoints and quotas" of the AWS General
 * Reference (https://docs.aws.amazon.com/general/latest/gr/iot-core.html); "Authorizers" is the AWS IoT Developer Guide,
 * "Creating and managing custom authorizers" and "Defining your Lambda function".
 */

/** Bytes of one message (Quotas, "Publish message size"). */
export const MAXIMUM_PAYLOAD_BYTES = 128 * 1024;

/** Bytes of a topic or topic filter, and slashes in it (Quotas). */
export const MAXIMUM_TOPIC_BYTES = 256;
/** See `MAXIMUM_TOPIC_BYTES`. */
export const MAXIMUM_TOPIC_SLASHES = 7;

/** Bytes of a client id (Quotas). */
export const MAXIMUM_CLIENT_ID_BYTES = 128;

/** Milliseconds between two retained messages of one topic (Quotas, "Retained message inbound publish requests per second per topic": one). */
export const RETAIN_INTERVAL_MS = 1_000;

/** Seconds of a keep-alive: what is shorter counts as the first, what is longer, or none, as the second (Quotas, "Keep-alive interval"). */
export const KEEP_ALIVE_SECONDS = { shortest: 30, longest: 1_200 } as const;

/** Milliseconds that an authorizer's function may take (Authorizers). */
export const AUTHORIZER_TIMEOUT_MS = 5_000;

/** Seconds until a connection ends, or its authorizer is asked again (Authorizers). */
export const AUTHORIZATION_SECONDS = { shortest: 300, longest: 86_400 } as const;

/** Policy documents of an authorizer's answer, and characters of each (Authorizers). */
export const MAXIMUM_POLICY_DOCUMENTS = 10;
/** See `MAXIMUM_POLICY_DOCUMENTS`. */
export const MAXIMUM_POLICY_CHARACTERS = 2_048;
