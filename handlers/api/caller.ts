import { InvalidTokenError } from '../errors.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { ProblemError, unauthorized } from './problems.ts';

/** Everybody, where `auth` is `open`. */
export const ANONYMOUS = 'anonymous';

/** Who calls: a subject with all of its jobs, or the bearer of the token of one job. */
export type Caller =
  | { readonly kind: 'subject'; readonly subject: string }
  | { readonly kind: 'job-token'; readonly job: string; readonly owner: string };

/**
 * Who calls. The seam for authentication: whatever authorizer stands before the API, its subject arrives here.
 * A subject that the authorizer named wins, because then the `Authorization` header was the authorizer's; else
 * that header can only hold the token of a job, and a bad one is refused even where everybody may call, so that
 * nobody believes to act by a token that does not count.
 * @throws ProblemError `unauthorized`.
 */
export async function callerOf(
  context: ApiContext,
  { auth, tokens }: Pick<ApiDependencies, 'auth' | 'tokens'>,
): Promise<Caller> {
  if (auth === 'authorizer') {
    const subject = authorizedSubject(context.env?.requestContext);
    if (subject !== undefined) return { kind: 'subject', subject };
  }
  const authorization = context.req.header('authorization');
  if (authorization !== undefined) return await bearerOf(authorization, tokens);
  if (auth === 'open') return { kind: 'subject', subject: ANONYMOUS };
  throw unauthorized(
    'Send the credentials that this API asks for, or the token of a job: Authorization: Bearer',
  );
}

/**
 * The subject among a caller that may act for all of its jobs.
 * @throws ProblemError `forbidden` for the bearer of a job's token; `unauthorized`.
 */
export async function subjectOf(
  context: ApiContext,
  dependencies: Pick<ApiDependencies, 'auth' | 'tokens'>,
): Promise<string> {
  const caller = await callerOf(context, dependencies);
  if (caller.kind === 'subject') return caller.subject;
  throw new ProblemError('forbidden', {
    detail: 'The token of a job acts for that one job and nothing else',
  });
}

async function bearerOf(authorization: string, tokens: ApiDependencies['tokens']): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthorized('Authorization must be: Bearer <token of a job>');
  try {
    return { kind: 'job-token', ...(await tokens.verifyJobToken(token)) };
  } catch (error) {
    if (error instanceof InvalidTokenError) throw unauthorized(error.message, error);
    throw error;
  }
}

/**
 * The subject that an authorizer of an HTTP API put into the event, payload format 2.0: a JWT authorizer under
 * `jwt.claims.sub`, a Lambda authorizer under `lambda.subject`
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
 * What could not be a key of a table or part of a topic is nobody: 1 to 255 characters, none of them control.
 */
export function authorizedSubject(requestContext: unknown): string | undefined {
  const authorizer = memberOf(requestContext, 'authorizer');
  const subject =
    memberOf(memberOf(memberOf(authorizer, 'jwt'), 'claims'), 'sub') ??
    memberOf(memberOf(authorizer, 'lambda'), 'subject');
  return typeof subject === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(subject) ? subject : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name]; // an object that has just been shown to have it
}
