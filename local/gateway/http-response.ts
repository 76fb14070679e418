import { isRecord } from './authorizer-result.ts';
import { statusCodeOf } from './connect-route.ts';

/** What a client gets. */
export interface HttpAnswer {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Each becomes a `set-cookie` of its own. */
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

/** The answers that the gateway gives by itself, with their exact messages. */
export const GATEWAY_MESSAGES = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

/** An answer of the gateway itself: `{"message":"…"}`. */
export function gatewayAnswer(statusCode: keyof typeof GATEWAY_MESSAGES): HttpAnswer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json' },
    cookies: [],
    body: Buffer.from(JSON.stringify({ message: GATEWAY_MESSAGES[statusCode] })),
  };
}

/** Headers that belong to the gateway's own connection. */
const OWN_HEADERS = ['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade'];

/**
 * The answer that a function's result means in payload format 2.0, or undefined if it is malformed, a 500
 * (APIGW:http-api-develop-integrations-lambda). A result without `statusCode` is itself the body: text as it
 * is, anything else as JSON, with 200 and `application/json`.
 */
export function lambdaAnswer(payload: unknown): HttpAnswer | undefined {
  if (!isRecord(payload) || payload['statusCode'] === undefined) {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload ?? null);
    const headers = { 'content-type': 'application/json' };
    return { statusCode: 200, headers, cookies: [], body: Buffer.from(text) };
  }
  const statusCode = statusCodeOf(payload['statusCode']);
  const headers = readHeaders(payload['headers']);
  const cookies = payload['cookies'] ?? [];
  const body = payload['body'] ?? '';
  if (statusCode === undefined || headers === undefined || typeof body !== 'string') return undefined;
  if (!Array.isArray(cookies) || !cookies.every((cookie) => typeof cookie === 'string')) return undefined;
  return {
    statusCode,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
    cookies,
    body: Buffer.from(body, payload['isBase64Encoded'] === true ? 'base64' : 'utf8'),
  };
}

function readHeaders(headers: unknown): Record<string, string> | undefined {
  if (headers === undefined || headers === null) return {};
  if (!isRecord(headers)) return undefined;
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return undefined;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return undefined;
    const text = String(value);
    // What cannot stand in a header line; Node would throw.
    if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) return undefined;
    if (!OWN_HEADERS.includes(name.toLowerCase())) read[name.toLowerCase()] = text;
  }
  return read;
}
