import { randomBytes } from 'node:crypto';
import type { AuthorizerContext } from './authorizer-result.ts';
import { newGatewayId } from './connection-id.ts';

/** Which of the three moments of a connection an event tells of. */
export type WebSocketEventType = 'CONNECT' | 'MESSAGE' | 'DISCONNECT';

/** What never changes while a connection lives; every event of it is made from this. */
export interface ConnectionFacts {
  readonly apiId: string;
  readonly stage: string;
  /** `host:port`, so that a function can call back `http://<domainName>/<stage>`. */
  readonly domainName: string;
  readonly connectionId: string;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  readonly sourceIp: string;
  /** The `User-Agent` of the handshake; absent if the client sent none (aws-facts 1.1). */
  readonly userAgent?: string;
  /** What the authorizer gave, replayed on every event of the connection (aws-facts 1.1). */
  readonly authorizer?: AuthorizerContext;
}

/** `requestContext` of a WebSocket event, in the order in which AWS documents it (aws-facts 1.1). */
export interface WebSocketRequestContext {
  readonly routeKey: string;
  /** On MESSAGE only. */
  readonly messageId?: string;
  /** On DISCONNECT only. */
  readonly disconnectStatusCode?: number;
  readonly eventType: WebSocketEventType;
  /** The same value as `requestId`. */
  readonly extendedRequestId: string;
  /** Common log format, UTC: `09/Feb/2024:18:11:43 +0000`. */
  readonly requestTime: string;
  readonly messageDirection: 'IN';
  /** On DISCONNECT only. */
  readonly disconnectReason?: string;
  readonly stage: string;
  readonly connectedAt: number;
  readonly requestTimeEpoch: number;
  readonly identity: { readonly userAgent?: string; readonly sourceIp: string };
  readonly requestId: string;
  readonly domainName: string;
  readonly connectionId: string;
  readonly apiId: string;
  readonly authorizer?: AuthorizerContext;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `epochMs` in common log format, UTC, as in `requestContext.requestTime` and `.time`. */
export function commonLogTime(epochMs: number): string {
  const time = new Date(epochMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

/** A value for `X-Amzn-Trace-Id`, which API Gateway adds to every request that carries none. */
export function newTraceId(epochMs: number): string {
  const seconds = Math.floor(epochMs / 1000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')}`;
}

/**
 * The context of one event. `requestId` is new for every event, except that authorizer and `$connect` see one
 * request and so share it.
 */
export function webSocketRequestContext(
  facts: ConnectionFacts,
  event: {
    readonly routeKey: string;
    readonly eventType: WebSocketEventType;
    /** Milliseconds since the epoch. */
    readonly at: number;
    readonly requestId?: string;
    readonly messageId?: string;
    readonly disconnect?: { readonly code: number; readonly reason: string };
  },
): WebSocketRequestContext {
  const requestId = event.requestId ?? newGatewayId();
  return {
    routeKey: event.routeKey,
    ...(event.messageId === undefined ? {} : { messageId: event.messageId }),
    ...(event.disconnect === undefined ? {} : { disconnectStatusCode: event.disconnect.code }),
    eventType: event.eventType,
    extendedRequestId: requestId,
    requestTime: commonLogTime(event.at),
    messageDirection: 'IN',
    ...(event.disconnect === undefined ? {} : { disconnectReason: event.disconnect.reason }),
    stage: facts.stage,
    connectedAt: facts.connectedAt,
    requestTimeEpoch: event.at,
    identity: {
      ...(facts.userAgent === undefined ? {} : { userAgent: facts.userAgent }),
      sourceIp: facts.sourceIp,
    },
    requestId,
    domainName: facts.domainName,
    connectionId: facts.connectionId,
    apiId: facts.apiId,
    ...(facts.authorizer === undefined ? {} : { authorizer: facts.authorizer }),
  };
}
