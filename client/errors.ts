import type { ProblemCode } from '../protocol/error-codes.ts';
import type { Problem } from '../protocol/http.ts';

/** The API refused a request: its problem details, or what the status alone tells where there were none. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** The code of the closed table. */
  get code(): ProblemCode {
    return this.problem.code;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.problem.retryable;
  }
}

/** No answer came at all: no network, no such host, or a browser that hides a cross-origin refusal. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** What came as an answer is not what the contract says: most likely not a Jobwire API at all. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

/** The storage refused the file. */
export class UploadRefusedError extends Error {
  override readonly name = 'UploadRefusedError';
  /** The HTTP status. */
  readonly status: number;
  /** S3's own code, such as `EntityTooLarge` or `AccessDenied`, where the answer named one. */
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined) {
    super(`the storage refused the file: ${code ?? 'no code'} (status ${status})`);
    this.status = status;
    this.code = code;
  }
}

/** A ticket was refused for good (401, 403, or any other answer that asking again cannot change); see `cause`. */
export class TicketRefusedError extends Error {
  override readonly name = 'TicketRefusedError';
}

/** The server said `bye` and not to come back. */
export class ConnectionRefusedError extends Error {
  override readonly name = 'ConnectionRefusedError';
  /** The code of the `bye`, such as 3507; a number, because a later server may know more of them. */
  readonly code: number;
  /** What the server gave as its reason. */
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(`bye ${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

/** The server refused one subscription, such as that of an unknown or foreign job; others go on. */
export class SubscriptionRefusedError extends Error {
  override readonly name = 'SubscriptionRefusedError';
  readonly code: ProblemCode;

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

/** Why a watch was ended for good, as it goes from tab to tab: a clone of an `Error` forgets its class. */
export interface Refusal {
  /** That of a `bye`, or of an `error` frame or problem; absent where it was a ticket that was refused. */
  readonly code?: number | ProblemCode | undefined;
  readonly reason: string;
  readonly cause?: unknown;
}

/** What a refusal is to whoever watches. */
export function errorOf({ code, reason, cause }: Refusal): WatchError {
  if (code === undefined) return new TicketRefusedError(reason, { cause });
  return typeof code === 'number'
    ? new ConnectionRefusedError(code, reason)
    : new SubscriptionRefusedError({ code, title: reason });
}
