import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { WebSocketRequestContext } from '../../../local/gateway/request-context.ts';
import { startWebSocketApi, type WebSocketApi } from '../../../local/gateway/websocket-api.ts';
import type { WebSocketApiSettings, WebSocketRoute } from '../../../local/gateway/websocket-settings.ts';
import { ManualClock } from '../manual-clock.ts';
import { RecordingFunction } from './recording-function.ts';

/** The members that the events of all routes have between them. */
export interface AnyEvent {
  readonly headers: Record<string, string>;
  readonly multiValueHeaders: Record<string, string[]>;
  readonly queryStringParameters?: Record<string, string>;
  readonly multiValueQueryStringParameters?: Record<string, string[]>;
  readonly requestContext: WebSocketRequestContext;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

const running: WebSocketApi[] = [];
const clients: WebSocket[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((api) => api.close()));
});

/** An API that runs until the end of the test, with a `$disconnect` that records. */
export async function startApi(options: {
  readonly routes?: readonly WebSocketRoute[];
  readonly settings?: Partial<WebSocketApiSettings>;
}): Promise<{
  readonly api: WebSocketApi;
  readonly clock: ManualClock;
  readonly disconnect: RecordingFunction<AnyEvent>;
  readonly log: string[];
}> {
  const clock = new ManualClock();
  const log: string[] = [];
  const disconnect = new RecordingFunction<AnyEvent>('disconnect');
  const api = await startWebSocketApi({
    apiId: 'a1b2c3d4e5',
    stageName: 'live',
    routeSelectionExpression: '$request.body.action',
    routes: [...(options.routes ?? []), { routeKey: '$disconnect', function: disconnect }],
    port: 0,
    clock,
    authorizeManagement: () => 'allowed',
    log: (line) => log.push(line),
    ...options.settings,
  });
  running.push(api);
  return { api, clock, disconnect, log };
}

/** A client whose handshake has begun; it is cut off at the end of the test. */
export function dial(url: string, protocols: string[] = [], options: ClientOptions = {}): WebSocket {
  const client = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
  clients.push(client);
  return client;
}

/** A client whose connection is open. */
export async function open(
  url: string,
  protocols: string[] = [],
  options: ClientOptions = {},
): Promise<WebSocket> {
  const client = dial(url, protocols, options);
  await once(client, 'open');
  return client;
}

/** The HTTP response that refuses a handshake. */
export async function refusal(
  url: string,
  options: ClientOptions = {},
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const client = dial(url, [], options);
  // A test that expects a refusal must fail, not wait, when the handshake succeeds.
  const accepted = once(client, 'open').then(() => Promise.reject(new Error('The handshake succeeded')));
  const refused = once(client, 'unexpected-response');
  const [, response] = (await Promise.race([refused, accepted])) as [unknown, IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

/** The next text message of the server. */
export async function nextText(client: WebSocket): Promise<string> {
  const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
  if (isBinary) throw new Error('The server sent a binary message');
  return data.toString('utf8');
}

/** Code and reason that the client sees when the connection ends. */
export async function closed(client: WebSocket): Promise<{ readonly code: number; readonly reason: string }> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return { code, reason: reason.toString('utf8') };
}

/** A TCP connection that has done a handshake by hand: for frames that no library would send. */
export async function openRaw(api: WebSocketApi, rest: Buffer = Buffer.alloc(0)): Promise<Socket> {
  const socket = connect(api.port, '127.0.0.1');
  await once(socket, 'connect');
  const request = [
    'GET /live HTTP/1.1',
    `Host: 127.0.0.1:${api.port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  socket.write(Buffer.concat([Buffer.from(`${request.join('\r\n')}\r\n\r\n`), rest]));
  await once(socket, 'data');
  sockets.push(socket);
  return socket;
}

/** A masked frame (with a mask of zeros, which is legal) as bytes. */
export function frame(opcode: number, payload: Buffer, fin = true): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  const header =
    payload.length < 126
      ? Buffer.from([first, 0x80 | payload.length])
      : Buffer.from([first, 0xfe, payload.length >> 8, payload.length & 0xff]);
  if (payload.length > 0xffff) throw new RangeError('The fixture builds frames of up to 65,535 bytes');
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}
