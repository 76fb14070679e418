import { ACCOUNT, REGION } from '../account.ts';
import { isRecord } from './authorizer-result.ts';
import { errorFrame, type GatewayMessage } from './error-frame.ts';
import { type Handshake, isSubprotocol } from './handshake.ts';
import { describeFailure, invokeWithin } from './integration.ts';
import { MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS } from './limits.ts';
import { type ConnectionFacts, webSocketRequestContext } from './request-context.ts';
import { authorizeConnect } from './websocket-authorizer.ts';
import { authorizerEvent, connectEvent, forwardedHeaders } from './websocket-events.ts';
import type { WebSocketApiParts } from './websocket-parts.ts';

/** What becomes of a handshake: the upgrade with the facts of the new connection, or an HTTP response. */
export type ConnectOutcome =
  | { readonly kind: 'accepted'; readonly facts: ConnectionFacts; readonly subprotocol: string | undefined }
  | { readonly kind: 'refused'; readonly statusCode: number; readonly body: string; readonly reason: string };

/**
 * Runs the authorizer and `$connect`, each if there is one (aws-facts 1.5). `$connect`: 2xx is an upgrade,
 * another status is passed on as it is, a function error is a 502. Where AWS is not documented: a result
 * without a usable status is a 502 and a time-out a 504, as at a REST API, and a body that `$connect` returns
 * does not reach the client.
 */
export async function connect(
  parts: WebSocketApiParts,
  handshake: Handshake,
  facts: ConnectionFacts,
  requestId: string,
  port: number,
): Promise<ConnectOutcome> {
  const { clock } = parts.settings;
  const route = parts.routes.get('$connect');
  if (route === undefined) return { kind: 'accepted', facts, subprotocol: undefined };
  const headers = forwardedHeaders(handshake, { port, at: facts.connectedAt });
  const event = { routeKey: '$connect', eventType: 'CONNECT', at: clock.now(), requestId } as const;
  const refused = (statusCode: number, message: GatewayMessage, reason: string): ConnectOutcome => ({
    kind: 'refused',
    statusCode,
    body: errorFrame(message, facts.connectionId, requestId),
    reason,
  });

  let known = facts;
  if (route.authorizer !== undefined) {
    const methodArn = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${facts.apiId}/${facts.stage}/$connect`;
    const asked = authorizerEvent(methodArn, headers, handshake.query, webSocketRequestContext(facts, event));
    const verdict = await authorizeConnect(route.authorizer, parts.identitySources, handshake, asked, clock);
    if (verdict.kind === 'refused') {
      return refused(verdict.statusCode, AUTHORIZER_MESSAGES[verdict.statusCode], verdict.reason);
    }
    known = { ...facts, authorizer: verdict.context };
  }

  const sent = connectEvent(headers, handshake.query, webSocketRequestContext(known, event));
  const timeoutMs = route.integrationTimeoutMs ?? MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS;
  const outcome = await invokeWithin(route.function, sent, timeoutMs, clock);
  if (outcome.kind === 'timed-out') {
    return refused(504, 'Endpoint request timed out', describeFailure(route.function, outcome));
  }
  if (outcome.kind === 'failed') {
    return refused(502, 'Internal server error', describeFailure(route.function, outcome));
  }
  const result = isRecord(outcome.payload) ? outcome.payload : {};
  const statusCode = statusCodeOf(result['statusCode']);
  if (statusCode === undefined) {
    return refused(502, 'Internal server error', `${route.function.name} returned no valid statusCode`);
  }
  if (statusCode < 200 || statusCode > 299) {
    return { kind: 'refused', statusCode, body: '', reason: `${route.function.name} returned it` };
  }
  const subprotocol = subprotocolOf(result['headers']);
  if (subprotocol !== undefined && !isSubprotocol(subprotocol)) {
    return refused(502, 'Internal server error', `${route.function.name} named no valid subprotocol`);
  }
  return { kind: 'accepted', facts: known, subprotocol };
}

const AUTHORIZER_MESSAGES: Readonly<Record<401 | 403 | 500, GatewayMessage>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'Internal server error',
};

/** A status as a number, or as digits, which API Gateway takes too; undefined if it is neither. */
export function statusCodeOf(value: unknown): number | undefined {
  const statusCode = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  if (typeof statusCode !== 'number' || !Number.isInteger(statusCode)) return undefined;
  return statusCode >= 200 && statusCode <= 599 ? statusCode : undefined;
}

function subprotocolOf(headers: unknown): string | undefined {
  if (!isRecord(headers)) return undefined;
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'sec-websocket-protocol');
  return typeof entry?.[1] === 'string' ? entry[1] : undefined;
}
