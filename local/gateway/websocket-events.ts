import type { Handshake } from './handshake.ts';
import { newTraceId, type WebSocketRequestContext } from './request-context.ts';

type Values = Readonly<Record<string, string>>;
type MultiValues = Readonly<Record<string, readonly string[]>>;

/** The event of `$connect` (aws-facts 1.1). No body, no stage variables; the query only if there is one. */
export interface WebSocketConnectEvent {
  readonly headers: Values;
  readonly multiValueHeaders: MultiValues;
  readonly queryStringParameters?: Values;
  readonly multiValueQueryStringParameters?: MultiValues;
  readonly requestContext: WebSocketRequestContext;
  readonly isBase64Encoded: false;
}

/** The event of a message: neither headers nor query (aws-facts 1.1). */
export interface WebSocketMessageEvent {
  readonly requestContext: WebSocketRequestContext;
  readonly body: string;
  readonly isBase64Encoded: false;
}

/** The event of `$disconnect`, with the four headers that AWS gives it (aws-facts 1.1). */
export interface WebSocketDisconnectEvent {
  readonly headers: Values;
  readonly multiValueHeaders: MultiValues;
  readonly requestContext: WebSocketRequestContext;
  readonly isBase64Encoded: false;
}

/** The event of a REQUEST authorizer (aws-facts 1.6). Unlike `$connect` it sees Connection and Upgrade. */
export interface WebSocketAuthorizerEvent {
  readonly type: 'REQUEST';
  readonly methodArn: string;
  readonly headers: Values;
  readonly multiValueHeaders: MultiValues;
  readonly queryStringParameters: Values;
  readonly multiValueQueryStringParameters: MultiValues;
  readonly stageVariables: Values;
  readonly requestContext: WebSocketRequestContext;
}

/**
 * The headers of a handshake as AWS hands them on: the client's own in the client's casing, and those that
 * API Gateway adds. Made once a request, so that authorizer and `$connect` see one trace.
 */
export function forwardedHeaders(
  handshake: Handshake,
  edge: { readonly port: number; readonly at: number },
): ReadonlyMap<string, readonly string[]> {
  const headers = new Map(handshake.headers);
  const added: readonly (readonly [string, string])[] = [
    ['X-Amzn-Trace-Id', newTraceId(edge.at)],
    ['X-Forwarded-For', handshake.sourceIp],
    ['X-Forwarded-Port', String(edge.port)],
    ['X-Forwarded-Proto', 'http'],
  ];
  for (const [name, value] of added) {
    // What the client claims in one of these names must not reach a function.
    for (const key of headers.keys()) if (key.toLowerCase() === name.toLowerCase()) headers.delete(key);
    headers.set(name, [value]);
  }
  return headers;
}

/** Builds the event of `$connect`. */
export function connectEvent(
  headers: ReadonlyMap<string, readonly string[]>,
  query: ReadonlyMap<string, readonly string[]>,
  requestContext: WebSocketRequestContext,
): WebSocketConnectEvent {
  const passed = [...headers].filter(([name]) => !['connection', 'upgrade'].includes(name.toLowerCase()));
  return {
    headers: lastValues(passed),
    multiValueHeaders: Object.fromEntries(passed),
    ...(query.size === 0
      ? {}
      : {
          queryStringParameters: lastValues(query),
          multiValueQueryStringParameters: Object.fromEntries(query),
        }),
    requestContext,
    isBase64Encoded: false,
  };
}

/** Builds the event of the authorizer. */
export function authorizerEvent(
  methodArn: string,
  headers: ReadonlyMap<string, readonly string[]>,
  query: ReadonlyMap<string, readonly string[]>,
  requestContext: WebSocketRequestContext,
): WebSocketAuthorizerEvent {
  const seen = [...headers, ['content-length', ['0']] as const];
  return {
    type: 'REQUEST',
    methodArn,
    headers: lastValues(seen),
    multiValueHeaders: Object.fromEntries(seen),
    queryStringParameters: lastValues(query),
    multiValueQueryStringParameters: Object.fromEntries(query),
    stageVariables: {},
    requestContext,
  };
}

/** Builds the event of a message. */
export function messageEvent(body: string, requestContext: WebSocketRequestContext): WebSocketMessageEvent {
  return { requestContext, body, isBase64Encoded: false };
}

/**
 * Builds the event of `$disconnect`. X-Forwarded-For is empty as in AWS's page and the captures of 2022 to
 * 2024; one of March 2025 has the client's address (aws-facts 1.1), so a function should rely on neither.
 */
export function disconnectEvent(requestContext: WebSocketRequestContext): WebSocketDisconnectEvent {
  const headers = {
    Host: requestContext.domainName,
    'x-api-key': '',
    'X-Forwarded-For': '',
    'x-restapi': '',
  };
  return {
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    requestContext,
    isBase64Encoded: false,
  };
}

function lastValues(entries: Iterable<readonly [string, readonly string[]]>): Values {
  return Object.fromEntries([...entries].map(([name, values]) => [name, values.at(-1) ?? '']));
}
