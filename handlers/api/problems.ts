import type { ProblemCode } from '../../protocol/error-codes.ts';
import { type Problem, problem } from '../../protocol/http.ts';
import { InvalidError, type Issue } from '../../protocol/invalid.ts';
import type { Job } from '../../protocol/job.ts';
import { InvalidTokenError, JobNotFoundError, TooLargeError, UnavailableError } from '../errors.ts';
import { jsonResponse } from './responses.ts';

/** What a `ProblemError` may say beyond its code. */
export interface ProblemDetails {
  readonly detail?: string;
  readonly issues?: readonly Issue[];
  /** The job whose state is what the request conflicts with. */
  readonly job?: Job;
  /** An HTTP status other than the table's. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a call: the request is refused with this problem, and nothing has been written. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}, options?: ErrorOptions) {
    super(details.detail ?? code, options);
    this.code = code;
    this.details = details;
  }
}

/** The most issues that a problem lists; a body of 64 KB can be wrong in thousands of places. */
const MAXIMUM_ISSUES = 20;

/** The longest text of a problem, in UTF-16 units: messages of the parser quote what the caller sent. */
const MAXIMUM_TEXT = 500;

/** How long a caller should leave us alone when a service of ours is not available, in seconds. */
const UNAVAILABLE_RETRY_SECONDS = 1;

/** The `WWW-Authenticate` that RFC 9110 wants beside every 401; `error` as RFC 6750 section 3.1 says. */
function challenge(error?: 'invalid_token'): Record<string, string> {
  return { 'www-authenticate': error === undefined ? 'Bearer' : `Bearer error="${error}"` };
}

/** What is wrong with the caller's identity. `cause` where a token was sent and does not pass. */
export function unauthorized(detail: string, cause?: InvalidTokenError): ProblemError {
  const headers = challenge(cause === undefined ? undefined : 'invalid_token');
  return new ProblemError('unauthorized', { detail, headers }, { cause });
}

/** What is wrong with the body, query or headers of a request, field by field. */
export function badRequest(error: InvalidError): ProblemError {
  return new ProblemError('bad-request', { detail: error.message, issues: error.issues }, { cause: error });
}

/**
 * The refusal that an error stands for, or undefined where nobody but us can mend it: that one is logged and
 * answered as `internal`. An unavailable service is `internal` too, with a `Retry-After`: the port does not say
 * whether it was throttled, and `rate-limited` would blame the caller.
 */
function refusalOf(error: Error): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof InvalidError) return badRequest(error);
  if (error instanceof InvalidTokenError) return unauthorized(error.message, error);
  if (error instanceof JobNotFoundError) return new ProblemError('not-found', { detail: error.message });
  if (error instanceof TooLargeError) return new ProblemError('too-large', { detail: error.message });
  return undefined;
}

/** What an error is answered with, and whether an operator must hear of it. */
export function problemResponse(error: Error): { readonly response: Response; readonly ours: boolean } {
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const { headers, ...details } = refusal.details;
    return { response: respond(refusal.code, details, headers), ours: false };
  }
  const retryable = error instanceof UnavailableError;
  const headers = retryable ? { 'retry-after': String(UNAVAILABLE_RETRY_SECONDS) } : undefined;
  return { response: respond('internal', {}, headers), ours: true };
}

function respond(
  code: ProblemCode,
  details: Omit<ProblemDetails, 'headers'>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body: Problem = problem(code, {
    ...(details.detail === undefined ? {} : { detail: cut(details.detail) }),
    ...(details.issues === undefined
      ? {}
      : { issues: details.issues.slice(0, MAXIMUM_ISSUES).map(cutIssue) }),
    ...(details.job === undefined ? {} : { job: details.job }),
  });
  const status = details.status ?? body.status;
  return jsonResponse(
    status,
    { ...body, status },
    { 'content-type': 'application/problem+json', ...headers },
  );
}

function cut(text: string): string {
  return text.length <= MAXIMUM_TEXT ? text : `${text.slice(0, MAXIMUM_TEXT)}…`;
}

function cutIssue(issue: Issue): Issue {
  return { path: cut(issue.path), message: cut(issue.message) };
}
