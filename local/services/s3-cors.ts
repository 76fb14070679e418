import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Refusal } from './s3-refusal.ts';

/** A rule, named like `AWS::S3::Bucket.CorsRule`. */
export interface CorsRule {
  /** Each with at most one `*`. */
  readonly AllowedOrigins: readonly string[];
  readonly AllowedMethods: readonly string[];
  /** Each with at most one `*`. */
  readonly AllowedHeaders?: readonly string[];
  readonly ExposedHeaders?: readonly string[];
  /** Seconds. */
  readonly MaxAge?: number;
}

/** S3's rules are ours to follow: s3rver answers every preflight with the origin "*". */
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

/**
 * Answers a preflight by the first rule that allows origin, method and all headers (S3UG:cors,
 * "How does Amazon S3 evaluate the CORS configuration on a bucket?").
 *
 * @throws S3Refusal, 403, if none does
 */
export function answerPreflight(
  rules: readonly CorsRule[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { origin } = request.headers;
  const method = request.headers['access-control-request-method'];
  if (origin === undefined) {
    throw new S3Refusal('BadRequest', 'Insufficient information. Origin request header needed.');
  }
  if (method === undefined) {
    throw new S3Refusal('BadRequest', 'Invalid Access-Control-Request-Method: null');
  }
  const wanted = (request.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((header) => header.trim().toLowerCase())
    .filter((header) => header !== '');
  const rule = rules.find(
    (candidate) =>
      allows(candidate, origin, method) &&
      wanted.every((header) =>
        (candidate.AllowedHeaders ?? []).some((pattern) => matches(pattern.toLowerCase(), header)),
      ),
  );
  if (rule === undefined) {
    throw new S3Refusal(
      'AccessForbidden',
      rules.length === 0
        ? 'CORSResponse: CORS is not enabled for this bucket.'
        : "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      { Method: method, ResourceType: 'OBJECT' },
    );
  }
  setHeaders(response, rule, origin);
  response.setHeader('Access-Control-Allow-Methods', rule.AllowedMethods.join(', '));
  if (wanted.length > 0) response.setHeader('Access-Control-Allow-Headers', wanted.join(', '));
  response.writeHead(200, { 'Content-Length': 0 }).end();
}

/** Lets a page read the answer to come, whether that is a success or an error. */
export function allowOrigin(
  rules: readonly CorsRule[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  const rule = rules.find((candidate) => allows(candidate, origin, request.method ?? 'GET'));
  if (rule === undefined) return;
  setHeaders(response, rule, origin);
  response.setHeader('Access-Control-Allow-Methods', rule.AllowedMethods.join(', '));
}

function setHeaders(response: ServerResponse, rule: CorsRule, origin: string): void {
  const anybody = rule.AllowedOrigins.includes('*');
  response.setHeader('Access-Control-Allow-Origin', anybody ? '*' : origin);
  if (!anybody) response.setHeader('Access-Control-Allow-Credentials', 'true');
  if (rule.ExposedHeaders !== undefined && rule.ExposedHeaders.length > 0) {
    response.setHeader('Access-Control-Expose-Headers', rule.ExposedHeaders.join(', '));
  }
  if (rule.MaxAge !== undefined) response.setHeader('Access-Control-Max-Age', rule.MaxAge);
  response.setHeader('Vary', VARY);
}

function allows(rule: CorsRule, origin: string, method: string): boolean {
  return (
    rule.AllowedMethods.includes(method) && rule.AllowedOrigins.some((pattern) => matches(pattern, origin))
  );
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const before = pattern.slice(0, star);
  const after = pattern.slice(star + 1);
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
