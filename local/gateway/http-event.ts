import type { IncomingMessage } from 'node:http';
import { ACCOUNT, REGION } from '../account.ts';
import type { AuthorizerContext } from './authorizer-result.ts';
import { newGatewayId } from './connection-id.ts';
import { sourceIpOf } from './handshake.ts';
import { decodePath, type MatchedRoute } from './http-route.ts';
import { commonLogTime, newTraceId } from './request-context.ts';

type Values = Readonly<Record<string, string>>;

/** `requestContext` of payload format 2.0. */
export interface HttpRequestContext {
  readonly accountId: string;
  readonly apiId: string;
  readonly authorizer?: { readonly lambda: AuthorizerContext | null };
  readonly domainName: string;
  readonly domainPrefix: string;
  readonly http: {
    readonly method: string;
    readonly path: string;
    readonly protocol: string;
    readonly sourceIp: string;
    readonly userAgent: string;
  };
  readonly requestId: string;
  readonly routeKey: string;
  readonly stage: string;
  readonly time: string;
  readonly timeEpoch: number;
}

/** What the integration's event and the authorizer's have in common. */
export interface HttpRequestFacts {
  readonly version: '2.0';
  readonly routeKey: string;
  /** Decoded, with the stage unless that is `$default`. */
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly cookies?: readonly string[];
  readonly headers: Values;
  readonly queryStringParameters?: Values;
  readonly requestContext: HttpRequestContext;
  readonly pathParameters?: Values;
}

/** The event of a Lambda proxy integration in payload format 2.0 (APIGW:http-api-develop-integrations-lambda). */
export interface HttpApiEvent extends HttpRequestFacts {
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

/** The event of a Lambda authorizer in payload format 2.0 (APIGW:http-api-lambda-authorizer). */
export interface HttpAuthorizerEvent extends HttpRequestFacts {
  readonly type: 'REQUEST';
  readonly routeArn: string;
  readonly identitySource: readonly string[];
}

/** Where and when a request came in. */
export interface HttpEdge {
  readonly apiId: string;
  readonly stage: string;
  /** `host:port`. */
  readonly domainName: string;
  readonly port: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Builds what a function sees of a request: names of headers in lower case, duplicates joined by commas,
 * cookies apart, a query only if there is one. `rawPath` is decoded and ends at a decoded "?", as captures of
 * real HTTP APIs show (https://github.com/hotsock/voker/pull/8), though the name says otherwise.
 */
export function httpRequestFacts(
  request: IncomingMessage,
  matched: MatchedRoute,
  edge: HttpEdge,
): HttpRequestFacts {
  const { path: encodedPath, query: rawQueryString } = splitUrl(request.url ?? '/');
  const [rawPath = '/'] = decodePath(encodedPath).split('?', 1);
  const { routeKey } = matched.route;
  const { headers, cookies } = readHeaders(request);
  const sourceIp = sourceIpOf(request);
  const query = joined(new URLSearchParams(rawQueryString));
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: {
      ...headers,
      'x-amzn-trace-id': newTraceId(edge.at),
      'x-forwarded-for': sourceIp,
      'x-forwarded-port': String(edge.port),
      'x-forwarded-proto': 'http',
    },
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: edge.apiId,
      domainName: edge.domainName,
      domainPrefix: edge.domainName.split('.', 1)[0] ?? '',
      http: {
        method: request.method ?? 'GET',
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: newGatewayId(),
      routeKey,
      stage: edge.stage,
      time: commonLogTime(edge.at),
      timeEpoch: edge.at,
    },
    ...(Object.keys(matched.pathParameters).length === 0 ? {} : { pathParameters: matched.pathParameters }),
  };
}

/** The integration's event: the facts, what the authorizer gave, and the body. */
export function httpApiEvent(
  facts: HttpRequestFacts,
  authorizer: { readonly lambda: AuthorizerContext | null } | undefined,
  body: Buffer,
): HttpApiEvent {
  const { headers, requestContext } = facts;
  const text = isText(headers['content-type'], headers['content-encoding']);
  return {
    ...facts,
    requestContext: { ...requestContext, ...(authorizer === undefined ? {} : { authorizer }) },
    ...(body.length === 0 ? {} : { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

/** The ARN that an authorizer's policy decides on: method and path of the request, not of the route. */
export function routeArn(facts: HttpRequestFacts): string {
  const { apiId, stage, http } = facts.requestContext;
  const path = stage === '$default' ? http.path : http.path.slice(stage.length + 1);
  return `arn:aws:execute-api:${REGION}:${ACCOUNT}:${apiId}/${stage}/${http.method}${path}`;
}

/** Path and query of a request's URL; the query without "?". */
export function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?');
  return mark === -1 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/**
 * Bodies of these types reach the function as text, all others in base64; so does what is compressed. AWS
 * documents no list: this one is what its integrations are seen to do.
 */
function isText(contentType: string | undefined, contentEncoding: string | undefined): boolean {
  if (contentEncoding !== undefined && contentEncoding !== 'identity') return false;
  if (contentType === undefined) return true;
  return /^(?:text\/|application\/(?:[^;]*\+)?(?:json|xml|javascript)\b)/i.test(contentType.trim());
}

function readHeaders(request: IncomingMessage): {
  headers: Record<string, string>;
  cookies: readonly string[];
} {
  // A map of lists, as the query is one.
  const values = new URLSearchParams();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    values.append((request.rawHeaders[index] ?? '').toLowerCase(), request.rawHeaders[index + 1] ?? '');
  }
  const cookies = values
    .getAll('cookie')
    .flatMap((value) => value.split(/;\s*/))
    .filter((cookie) => cookie !== '');
  // Format 2.0 takes the cookies out of the headers.
  for (const name of ['cookie', 'connection', 'transfer-encoding']) values.delete(name);
  return { headers: joined(values), cookies };
}

function joined(values: URLSearchParams): Record<string, string> {
  const names = [...new Set(values.keys())];
  return Object.fromEntries(names.map((name) => [name, values.getAll(name).join(',')]));
}
