import { isRecord } from './authorizer-result.ts';
import { statusCodeOf } from './connect-route.ts';
import { newGatewayId } from './connection-id.ts';
import { errorFrame, type GatewayMessage } from './error-frame.ts';
import { describeFailure, invokeWithin } from './integration.ts';
import { MAXIMUM_MESSAGE_BYTES, MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS } from './limits.ts';
import { webSocketRequestContext } from './request-context.ts';
import type { ConnectionEnd, WebSocketConnection } from './websocket-connection.ts';
import { disconnectEvent, messageEvent } from './websocket-events.ts';
import type { WebSocketApiParts } from './websocket-parts.ts';
import type { WebSocketRoute } from './websocket-settings.ts';

/**
 * Takes one message of a client: chooses the route, invokes its function, and says on the socket what API
 * Gateway would say (aws-facts 1.3, 1.4). Messages of one connection run at the same time and may overtake
 * each other: AWS promises no order. Never rejects.
 */
export async function answerMessage(
  parts: WebSocketApiParts,
  connection: WebSocketConnection,
  body: string,
): Promise<void> {
  const { clock, log } = parts.settings;
  connection.touch();
  const { connectionId } = connection.facts;
  const requestId = newGatewayId();
  const say = (message: GatewayMessage): void =>
    connection.send(errorFrame(message, connectionId, requestId));
  const route = routeOf(parts, body);
  if (route === undefined) return say('Forbidden');
  // The text of this frame is not documented (aws-facts 1.4); it is the 429's own name.
  if (!parts.throttle.admits(route.routeKey)) return say('Too Many Requests');
  const context = webSocketRequestContext(connection.facts, {
    routeKey: route.routeKey,
    eventType: 'MESSAGE',
    at: clock.now(),
    requestId,
    messageId: newGatewayId(),
  });
  const timeoutMs = route.integrationTimeoutMs ?? MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS;
  const outcome = await invokeWithin(route.function, messageEvent(body, context), timeoutMs, clock);
  if (outcome.kind !== 'returned') {
    log(`Route ${route.routeKey}: ${describeFailure(route.function, outcome)}`);
    // The text for a time-out is not documented either (aws-facts 1.4); REST APIs say this one.
    return say(outcome.kind === 'timed-out' ? 'Endpoint request timed out' : 'Internal server error');
  }
  if (route.routeResponse !== true) return;
  const response = routeResponse(outcome.payload);
  if (response === undefined) {
    log(`Route ${route.routeKey}: ${route.function.name} returned what cannot be a route response`);
    return say('Internal server error');
  }
  connection.send(response);
}

/**
 * Tells `$disconnect`, if there is such a route, that a connection has ended; its result means nothing.
 * `seen` is the end as the socket saw it, which counts only if this side did not end it first. Never rejects.
 */
export async function tellDisconnect(
  parts: WebSocketApiParts,
  connection: WebSocketConnection,
  seen: ConnectionEnd,
): Promise<void> {
  const route = parts.routes.get('$disconnect');
  if (route === undefined) return;
  const { clock, log } = parts.settings;
  const disconnect = connection.end ?? (seen.code === 1005 ? { code: 1005, reason: NO_STATUS } : seen);
  const at = clock.now();
  const context = webSocketRequestContext(connection.facts, {
    routeKey: '$disconnect',
    eventType: 'DISCONNECT',
    at,
    disconnect,
  });
  const timeoutMs = route.integrationTimeoutMs ?? MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS;
  const outcome = await invokeWithin(route.function, disconnectEvent(context), timeoutMs, clock);
  if (outcome.kind !== 'returned') log(`Route $disconnect: ${describeFailure(route.function, outcome)}`);
}

/** The reason that AWS gives for a close frame without a status, 1005 (aws-facts 1.2). */
const NO_STATUS = 'Client-side close frame status not set';

function routeOf(parts: WebSocketApiParts, body: string): WebSocketRoute | undefined {
  const selected = parts.selection.evaluate(body);
  // A client must not reach $connect or $disconnect by naming them.
  const named = selected === undefined || selected.startsWith('$') ? undefined : parts.routes.get(selected);
  return named ?? parts.routes.get('$default');
}

/**
 * The frame that a proxy integration's result becomes: its body, empty if there is none (aws-facts 1.4). A
 * status that is not 2xx becomes the error frame; that rests on a single report.
 */
function routeResponse(payload: unknown): string | undefined {
  if (payload === undefined || payload === null) return '';
  if (!isRecord(payload)) return undefined;
  const { body, statusCode } = payload;
  if (statusCode !== undefined) {
    const status = statusCodeOf(statusCode);
    if (status === undefined || status > 299) return undefined;
  }
  if (body === undefined || body === null) return '';
  if (typeof body !== 'string' || Buffer.byteLength(body) > MAXIMUM_MESSAGE_BYTES) return undefined;
  return body;
}
