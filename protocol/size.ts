/** Sizes on the wire are bytes of UTF-8, because that is what DynamoDB, API Gateway and sockets count. */

const encoder = new TextEncoder();

/** The bytes that a text takes as UTF-8. */
export function bytesOf(text: string): number {
  return encoder.encode(text).byteLength;
}

/** The bytes that a value takes in a frame: its JSON as UTF-8, escapes included. */
export function serializedBytes(value: unknown): number {
  return bytesOf(JSON.stringify(value) ?? '');
}
