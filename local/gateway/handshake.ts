import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** The request of a client that wants to be upgraded, as the events tell of it. */
export interface Handshake {
  /** The path without the query, not decoded. */
  readonly path: string;
  /** All headers as the client wrote them, duplicates included. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether `text` may be the name of a subprotocol (an HTTP token, RFC 6455 4.1). */
export function isSubprotocol(text: string): boolean {
  return TOKEN.test(text);
}

/** Reads a request; `remoteAddress` loses the IPv6 prefix of a mapped IPv4 address, as AWS shows plain IPv4. */
export function readHandshake(request: IncomingMessage): Handshake {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    const known = [...headers.keys()].find((other) => other.toLowerCase() === name.toLowerCase());
    append(headers, known ?? name, request.rawHeaders[index + 1] ?? '');
  }
  const query = new Map<string, string[]>();
  if (mark !== -1)
    for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) append(query, name, value);
  return {
    path: mark === -1 ? url : url.slice(0, mark),
    headers,
    query,
    sourceIp: sourceIpOf(request),
    userAgent: request.headers['user-agent'],
  };
}

/** The client's address in the form that AWS shows. */
export function sourceIpOf(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

/**
 * Why a request is no WebSocket handshake, or undefined if it is one. Checked before any function is invoked:
 * what cannot be upgraded must not run `$connect`.
 */
export function handshakeProblem(request: IncomingMessage): string | undefined {
  const key = request.headers['sec-websocket-key'];
  const protocols = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  if (request.method !== 'GET') return 'the method is not GET';
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return 'Upgrade is not websocket';
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key))
    return 'Sec-WebSocket-Key is missing or invalid';
  if (request.headers['sec-websocket-version'] !== '13') return 'Sec-WebSocket-Version is not 13';
  if (
    protocols?.some((name) => !isSubprotocol(name)) ||
    new Set(protocols).size !== (protocols?.length ?? 0)
  ) {
    return 'Sec-WebSocket-Protocol is not a list of different tokens';
  }
  return undefined;
}

/** Refuses an upgrade with an HTTP response, after which the socket is closed. */
export function refuseUpgrade(
  socket: Duplex,
  statusCode: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const lines = [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? 'Unknown'}`,
    'Connection: close',
    ...(body === '' ? [] : ['Content-Type: application/json']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function append(map: Map<string, string[]>, name: string, value: string): void {
  const values = map.get(name);
  if (values === undefined) map.set(name, [value]);
  else values.push(value);
}
