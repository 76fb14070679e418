import type { LimitedField } from '../protocol/job.ts';
import type { Status } from '../protocol/status.ts';
import type { JobRecord } from './ports.ts';

/**
 * Every error that a handler may meet. Adapters translate what the SDK throws into these; nothing else leaves
 * `handlers/aws`. The closed set: `HandlerError`.
 */

/** An environment variable that the function needs is unset. */
export class MissingVariableError extends Error {
  override readonly name = 'MissingVariableError';
  /** `remedy` says who has to set it. */
  constructor(variable: string, remedy = 'the construct that deploys this function must set it') {
    super(`The environment variable ${variable} is not set: ${remedy}`);
  }
}

/** There is no such job. */
export class JobNotFoundError extends Error {
  override readonly name = 'JobNotFoundError';
  readonly job: string;
  constructor(job: string, options?: ErrorOptions) {
    super(`There is no job ${job}`, options);
    this.job = job;
  }
}

/** A job of that id exists already. */
export class JobExistsError extends Error {
  override readonly name = 'JobExistsError';
  readonly #current: JobRecord;
  constructor(current: JobRecord, options?: ErrorOptions) {
    super(`The job ${current.job.id} exists already`, options);
    this.#current = current;
  }

  /** No property of its own, which a log would write with the error: kilobytes, and what the job says. */
  get current(): JobRecord {
    return this.#current;
  }
}

/** Which clause of a change did not hold; where several did not, the first in this order. */
export type RefusalReason = 'epoch' | 'status' | 'execution' | 'seq';

/**
 * The database refused a change: the job's status does not allow it, or the job is of another epoch, or
 * another execution works on it, or its `seq` has moved on. `current` is the job as it stands.
 */
export class ChangeRefusedError extends Error {
  override readonly name = 'ChangeRefusedError';
  readonly reason: RefusalReason;
  readonly #current: JobRecord;
  constructor(reason: RefusalReason, current: JobRecord, to: Status | undefined, options?: ErrorOptions) {
    super(
      `The job ${current.job.id} is ${current.job.status}: ${to === undefined ? 'the change' : `going to ${to}`} was refused for its ${reason}`,
      options,
    );
    this.reason = reason;
    this.#current = current;
  }

  /** No property of its own: see `JobExistsError`. */
  get current(): JobRecord {
    return this.#current;
  }
}

/** A field of a job is larger than the contract allows. Sizes in bytes of JSON. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly field: LimitedField;
  constructor(field: LimitedField, limit: number, actual: number) {
    super(`${field} takes ${actual} bytes; at most ${limit} are allowed`);
    this.field = field;
  }
}

/** A value that a processor reports cannot be part of a job (not a finite number, an empty text, …). */
export class InvalidReportError extends Error {
  override readonly name = 'InvalidReportError';
}

/** The connection is closed for good (410). */
export class ConnectionGoneError extends Error {
  override readonly name = 'ConnectionGoneError';
  readonly connection: string;
  constructor(connection: string, options?: ErrorOptions) {
    super(`The connection ${connection} is gone`, options);
    this.connection = connection;
  }
}

/** A service did not do it now, but may later: throttled, a server error, or a time-out. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly service: string;
  /** Whether the service said that it is asked too much; then whoever goes on asking makes it worse. */
  readonly throttled: boolean;
  constructor(service: string, options: ErrorOptions & { readonly throttled?: boolean } = {}) {
    super(`${service} is not available now`, options);
    this.service = service;
    this.throttled = options.throttled ?? false;
  }
}

/** A service refused for good: a missing grant, a wrong name. Somebody has to mend the deployment. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly service: string;
  constructor(service: string, detail: string, options?: ErrorOptions) {
    super(`${service} refused: ${detail}`, options);
    this.service = service;
  }
}

/** A stored item, message or event is not of the shape that we write. */
export class MalformedDataError extends Error {
  override readonly name = 'MalformedDataError';
  constructor(what: string, options?: ErrorOptions) {
    super(`${what} is malformed`, options);
  }
}

/** A token or ticket that is forged, expired, or made for something else. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';
  readonly reason: 'expired' | 'invalid';
  constructor(reason: 'expired' | 'invalid', options?: ErrorOptions) {
    super(reason === 'expired' ? 'The token has expired' : 'The token is not valid', options);
    this.reason = reason;
  }
}

/** The uploaded object is not there. */
export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';
  constructor(key: string, options?: ErrorOptions) {
    super(`There is no object ${key}`, options);
  }
}

/** The uploaded object is another one than the one that was checked. */
export class ObjectChangedError extends Error {
  override readonly name = 'ObjectChangedError';
  constructor(key: string, options?: ErrorOptions) {
    super(`The object ${key} was overwritten after it had been checked`, options);
  }
}

/** There is no such file in the workspace of an execution. */
export class FileNotFoundError extends Error {
  override readonly name = 'FileNotFoundError';
  constructor(execution: string, file: string, options?: ErrorOptions) {
    super(`There is no file ${file} in the workspace of ${execution}`, options);
  }
}

/** S3 cannot make the object of the parts that were named. `code` is S3's own. */
export class PartsRefusedError extends Error {
  override readonly name = 'PartsRefusedError';
  readonly code: 'InvalidPart' | 'InvalidPartOrder' | 'EntityTooSmall';
  constructor(code: PartsRefusedError['code'], options?: ErrorOptions) {
    super(`The parts are not those that were uploaded (${code})`, options);
    this.code = code;
  }
}

/** The upload in parts does not exist any more, and no object came of it. */
export class UploadNotFoundError extends Error {
  override readonly name = 'UploadNotFoundError';
  constructor(key: string, options?: ErrorOptions) {
    super(`There is no upload in parts for ${key}`, options);
  }
}

/** The closed set. */
export type HandlerError =
  | MissingVariableError
  | JobNotFoundError
  | JobExistsError
  | ChangeRefusedError
  | TooLargeError
  | InvalidReportError
  | ConnectionGoneError
  | UnavailableError
  | RefusedError
  | MalformedDataError
  | InvalidTokenError
  | ObjectNotFoundError
  | ObjectChangedError
  | FileNotFoundError
  | PartsRefusedError
  | UploadNotFoundError;
