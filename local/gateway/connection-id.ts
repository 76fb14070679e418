import { randomBytes } from 'node:crypto';

const FORMAT = /^[A-Za-z0-9_-]{15}=$/;

/**
 * A new connection, message or request id as API Gateway makes them: 11 random bytes in base64url, padded,
 * which are 16 characters and always end in `=` (aws-facts 1.1: 22 of 22 captured ids). The `=` matters: in a
 * path it must be sent as `%3D`.
 */
export function newGatewayId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

/** Whether `text` has the form of a connection id; one that has not is a 400, not a 410 (aws-facts 2). */
export function isConnectionId(text: string): boolean {
  return FORMAT.test(text);
}
