import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { ACCOUNT, REGION } from '../account.ts';
import { isConnectionId } from './connection-id.ts';
import { MAXIMUM_MESSAGE_BYTES } from './limits.ts';
import { readBody } from './request-body.ts';
import type { WebSocketConnection } from './websocket-connection.ts';

/** An @connections call, as whoever decides on permissions sees it. */
export interface ManagementRequest {
  readonly method: string;
  /** As it came: path and query, not decoded, for SigV4. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly action: 'execute-api:ManageConnections';
  /** `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/@connections/<id>`, the id decoded. */
  readonly resource: string;
}

/** Whether a call may be made; `reason` is told to the caller in the 403. */
export type ManagementVerdict = 'allowed' | { readonly refused: string };

/** The permissions' side of @connections: SigV4 and IAM (aws-facts 2). */
export type AuthorizeManagement = (
  request: ManagementRequest,
) => ManagementVerdict | Promise<ManagementVerdict>;

/** What the management API needs to know of the API that it manages. */
export interface ManagedApi {
  readonly apiId: string;
  readonly stageName: string;
  readonly clientBufferBytes: number;
  readonly authorizeManagement: AuthorizeManagement;
  readonly log: (line: string) => void;
  /** The open connection of this id; none while `$connect` still runs. */
  find(connectionId: string): WebSocketConnection | undefined;
}

/** Whether a path belongs to @connections of some stage; `@` may come as `%40` (aws-facts 2). */
export function isManagementPath(path: string): boolean {
  return /^\/[^/]+\/(?:@|%40)connections\//i.test(path);
}

/**
 * Answers one @connections call. Errors carry `x-amzn-ErrorType`, by which SDK v3 names them, and a 410 has
 * an empty body, as on AWS (aws-facts 2). Never rejects.
 */
export async function answerManagement(
  api: ManagedApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = request.url ?? '/';
  const method = request.method ?? 'GET';
  const path = url.split('?', 1)[0] ?? '/';
  const [, stage = '', encodedId = ''] = /^\/([^/]+)\/(?:@|%40)connections\/(.*)$/i.exec(path) ?? [];
  if (stage !== api.stageName || !['POST', 'GET', 'DELETE'].includes(method)) {
    const route = `${stage}/@connections/${encodedId}`;
    return refuse(
      response,
      403,
      'ForbiddenException',
      `No method found matching route ${route} for http method ${method}`,
    );
  }
  const connectionId = decoded(encodedId);
  const resource = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${api.apiId}/${stage}/${method}/@connections/${connectionId ?? encodedId}`;
  // Read before anything is awaited, so that a body is never lost.
  const body = method === 'POST' ? readBody(request, MAXIMUM_MESSAGE_BYTES) : undefined;
  const verdict = await decide(api, {
    method,
    url,
    headers: request.headers,
    action: 'execute-api:ManageConnections',
    resource,
  });
  if (verdict === 'failed')
    return refuse(response, 500, 'InternalServerErrorException', 'Internal server error');
  if (verdict !== 'allowed') {
    api.log(`@connections: ${method} ${resource} refused: ${verdict.refused}`);
    return refuse(response, 403, 'ForbiddenException', verdict.refused);
  }
  if (connectionId === undefined || !isConnectionId(connectionId)) {
    return refuse(response, 400, 'BadRequestException', `Invalid connectionId: ${connectionId ?? encodedId}`);
  }
  const data = await body;
  if (data?.kind === 'aborted') return;
  const connection = api.find(connectionId);
  if (connection?.isOpen !== true) return refuse(response, 410, 'GoneException', undefined);
  if (data?.kind === 'too-large') {
    return refuse(
      response,
      413,
      'PayloadTooLargeException',
      `The payload has more than ${MAXIMUM_MESSAGE_BYTES} bytes`,
    );
  }
  if (method === 'GET') return describe(response, connection);
  if (method === 'DELETE') {
    connection.close(1000, 'Connection Closed Normally');
    response.writeHead(204).end();
    return;
  }
  if (connection.bufferedBytes > api.clientBufferBytes) {
    return refuse(response, 429, 'LimitExceededException', 'The WebSocket client side buffer is full');
  }
  // Text only: what AWS does with bytes that are no UTF-8 is not documented (aws-facts 1.9), and sent as
  // they are they would make the client close with 1007.
  connection.send(data === undefined ? '' : data.bytes.toString('utf8'));
  response.writeHead(200, { 'Content-Length': 0 }).end();
}

async function decide(api: ManagedApi, request: ManagementRequest): Promise<ManagementVerdict | 'failed'> {
  try {
    return await api.authorizeManagement(request);
  } catch (error) {
    api.log(`@connections: the decision on ${request.resource} failed: ${String(error)}`);
    return 'failed';
  }
}

function describe(response: ServerResponse, connection: WebSocketConnection): void {
  const { connectedAt, sourceIp, userAgent } = connection.facts;
  const body = JSON.stringify({
    connectedAt: new Date(connectedAt).toISOString(),
    identity: { sourceIp, ...(userAgent === undefined ? {} : { userAgent }) },
    lastActiveAt: new Date(connection.lastActiveAt).toISOString(),
  });
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
}

function refuse(
  response: ServerResponse,
  statusCode: number,
  type: string,
  message: string | undefined,
): void {
  response.writeHead(statusCode, {
    'x-amzn-ErrorType': type,
    ...(message === undefined ? { 'Content-Length': 0 } : { 'Content-Type': 'application/json' }),
  });
  response.end(message === undefined ? undefined : JSON.stringify({ message }));
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // A stray "%": not a connection id, which the caller is told.
    return undefined;
  }
}
