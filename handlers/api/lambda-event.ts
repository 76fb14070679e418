import { handle } from 'hono/aws-lambda';
import type { Api } from './api.ts';
import { ProblemError, problemResponse } from './problems.ts';

type Handle = ReturnType<typeof handle>;
type HttpEvent = Extract<Parameters<Handle>[0], { readonly rawPath: string }>;
type HttpResult = Awaited<ReturnType<Handle>>;

/** A Lambda function for HTTP API events of payload format 2.0. */
export type HttpHandler = (event: HttpEvent, lambdaContext?: Parameters<Handle>[1]) => Promise<HttpResult>;

/** A header's name and value as fetch takes them; `hono/aws-lambda` encodes what is not ASCII. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE_REFUSED = /[\0\r\n]/;

/** What fetch refuses to make a request with (https://fetch.spec.whatwg.org/#methods). */
const METHODS_REFUSED = ['CONNECT', 'TRACE', 'TRACK'];

/**
 * Serves an API as a Lambda function. What fetch makes no request of, `hono/aws-lambda` would answer in plain text
 * and quote in the log, a token perhaps; here it is a problem like any other. A body of a GET, which API Gateway
 * lets through and which means nothing (RFC 9110 9.3.1), is dropped; so are cookies, which nothing here reads.
 */
export function answerEvents(api: Api): HttpHandler {
  const answer = handle(api);
  return async ({ cookies: _cookies, ...event }, lambdaContext) => {
    if (!isReadable(event)) return await unreadable();
    const { method } = event.requestContext.http;
    const hasIdleBody = method === 'GET' || method === 'HEAD';
    return await answer(hasIdleBody ? { ...event, body: null } : event, lambdaContext);
  };
}

function isReadable({ headers, rawPath, rawQueryString, requestContext }: HttpEvent): boolean {
  const { method } = requestContext.http;
  return (
    HEADER_NAME.test(method) && // a method is a token, as a header's name is
    !METHODS_REFUSED.includes(method.toUpperCase()) &&
    URL.canParse(`https://${requestContext.domainName}${rawPath}?${rawQueryString}`) &&
    Object.entries(headers).every(
      ([name, value]) => HEADER_NAME.test(name) && !HEADER_VALUE_REFUSED.test(value ?? ''),
    )
  );
}

async function unreadable(): Promise<HttpResult> {
  const { response } = problemResponse(
    new ProblemError('bad-request', { detail: 'The method, the path or a header cannot be read' }),
  );
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    isBase64Encoded: false,
  };
}
