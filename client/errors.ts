import type { ProblemCode } from '../protocol/error-codes.ts';
import type { ByeFrame } from '../protocol/frames.ts';
import type { Problem } from '../protocol/http.ts';

/*
 * Fields are declared, not defined: each is set by its constructor, and a definition would weigh in every browser.
 */

/** The API refused a request: its problem details, or what the status alone tells where there were none. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  declare readonly problem: Problem;
  /** The code of the closed table. */
  declare readonly code: ProblemCode;
  /** The HTTP status. */
  declare readonly status: number;
  /** Whether the same request may succeed later. */
  declare readonly retryable: boolean;
  /** What `Retry-After` asked for, in milliseconds. */
  declare readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail ?? problem.title);
    // With whatever else the problem says.
    Object.assign(this, problem, { problem, retryAfterMs });
  }
}

/** No answer came at all: no network, no such host, or a browser that hides a cross-origin refusal. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** What came as an answer or frame is not what the contract says: most likely not a Jobwire API at all. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

/** The storage refused the file. */
export class UploadRefusedError extends Error {
  override readonly name = 'UploadRefusedError';
  /** The HTTP status. */
  declare readonly status: number;
  /** S3's own code, such as `EntityTooLarge` or `AccessDenied`, where the answer named one. */
  declare readonly code: string | undefined;

  constructor(status: number, code: string | undefined) {
    super(`the storage refused the file: ${code ?? 'no code'} (status ${status})`);
    this.status = status;
    this.code = code;
  }
}

/**
 * A ticket was refused for good (401, 403, or any other answer that asking again cannot change, such as 404 for the
 * token of an unknown job); see `cause`. A callback that gets tickets throws it to end its watches.
 */
export class TicketRefusedError extends Error {
  override readonly name = 'TicketRefusedError';
  readonly retryable = false;
}

/** The server said `bye` and not to come back. */
export class ConnectionRefusedError extends Error {
  override readonly name = 'ConnectionRefusedError';
  /** The code of the `bye`, such as 3507; a number, because a later server may know more of them. */
  declare readonly code: number;
  /** What the server gave as its reason. */
  declare readonly reason: string;

  constructor(code: number, reason: string) {
    super(`bye ${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

/** The server refused one subscription, such as that of an unknown or foreign job; others go on. */
export class SubscriptionRefusedError extends Error {
  override readonly name = 'SubscriptionRefusedError';
  declare readonly code: ProblemCode;

  /** @param error that of the `error` frame, or the problem where it was asked for over HTTP */
  constructor(error: Pick<Problem, 'code' | 'title' | 'detail'>) {
    super(error.detail ?? error.title);
    this.code = error.code;
  }
}

/** `finished()` of a watch that was closed by `close()` before the job was. */
export class WatchClosedError extends Error {
  override readonly name = 'WatchClosedError';
}

/** What may end a watch for good. */
export type WatchError = TicketRefusedError | ConnectionRefusedError | SubscriptionRefusedError;

/**
 * Why a watch was ended for good, in the server's own words, as it goes from tab to tab: a clone of an `Error` forgets
 * its class. A `bye`, the error of a frame or a problem, or what a ticket was refused with.
 */
export type Refusal =
  | Pick<ByeFrame, 'code' | 'reason'>
  | Pick<Problem, 'code' | 'title' | 'detail'>
  | { readonly cause: Error };

/** What a refusal is to whoever watches. */
export function errorOf(refusal: Refusal): WatchError {
  if ('cause' in refusal) return new TicketRefusedError(refusal.cause.message, refusal);
  if ('reason' in refusal) return new ConnectionRefusedError(refusal.code, refusal.reason);
  return new SubscriptionRefusedError(refusal);
}
