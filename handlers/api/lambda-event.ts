import { handle } from 'hono/aws-lambda';
import type { Api } from './api.ts';
import { ProblemError, problemResponse } from './problems.ts';

type Handle = ReturnType<typeof handle>;
type HttpEvent = Extract<Parameters<Handle>[0], { readonly rawPath: string }>;
type HttpResult = Awaited<ReturnType<Handle>>;

/** A Lambda function for HTTP API events of payload format 2.0. */
export type HttpHandler = (event: HttpEvent, lambdaContext?: Parameters<Handle>[1]) => Promise<HttpResult>;

/**
 * Serves an API as a Lambda function. Two events would make `hono/aws-lambda` answer in plain text instead of a
 * problem: a GET with a body, which API Gateway lets through and whose body means nothing (RFC 9110 9.3.1), so it
 * is dropped; and what makes no request at all, such as a header that fetch refuses.
 */
export function answerEvents(api: Api): HttpHandler {
  const answer = handle(api);
  return async (event, lambdaContext) => {
    const result = await answer(withoutIdleBody(event), lambdaContext);
    return result.statusCode === 400 && result.headers?.['content-type'] !== 'application/problem+json'
      ? await unreadable()
      : result;
  };
}

function withoutIdleBody(event: HttpEvent): HttpEvent {
  const { method } = event.requestContext.http;
  return method === 'GET' || method === 'HEAD' ? { ...event, body: null } : event;
}

async function unreadable(): Promise<HttpResult> {
  const { response } = problemResponse(
    new ProblemError('bad-request', { detail: 'The path or a header of the request cannot be read' }),
  );
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    isBase64Encoded: false,
  };
}
