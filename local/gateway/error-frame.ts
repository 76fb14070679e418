/** What API Gateway itself says to a client, on the socket or as the body of a refused handshake. */
export type GatewayMessage =
  | 'Forbidden'
  | 'Internal server error'
  | 'Too Many Requests'
  | 'Unauthorized'
  | 'Bad Request'
  | 'Endpoint request timed out';

/**
 * The frame of API Gateway's default gateway response, to the space: one after `"message":` and after the
 * commas, none after the other colons (aws-facts 1.3, 1.4). It is AWS's template
 * `{"message": $context.error.messageString, "connectionId":"…", "requestId":"…"}`.
 */
export function errorFrame(message: GatewayMessage, connectionId: string, requestId: string): string {
  return `{"message": "${message}", "connectionId":"${connectionId}", "requestId":"${requestId}"}`;
}
