import type { Readable } from 'node:stream';
import type { Kind } from '../../protocol/kinds.ts';
import type { ProgressReporter } from './report.ts';

/** One uploaded payload, as a processor gets it. */
export interface ProcessorInput {
  /** The bytes of the payload. Read it as a stream: it may be larger than memory. */
  readonly body: Readable;
  /** Bytes of the whole payload. */
  readonly size: number;
  /** As announced when the job was asked for, and as S3 confirms. */
  readonly contentType: string;
  /** The file's name without a path; for people. */
  readonly fileName: string;
  /**
   * Says how far the work is. May be called as often as you like; never waits, and never fails because of the
   * network. @throws InvalidReportError, TooLargeError for a report that no job can hold.
   */
  readonly report: ProgressReporter['report'];
  /**
   * Aborted when the work is pointless: the job was cancelled, the time is up, or another execution took over
   * (`signal.reason` is a WorkStoppedError). Stop soon; what is returned afterwards is dropped.
   */
  readonly signal: AbortSignal;
}

/** What the work came to. Small enough for memory; a text is stored as UTF-8. */
export interface ProcessorResult {
  readonly body: Uint8Array | string;
  /** A media type such as `application/json`. */
  readonly contentType: string;
}

/** One kind of work. Put yours into `processors.ts`, and its kind into protocol/kinds.ts. */
export interface Processor {
  readonly kind: Kind;
  /**
   * @throws ProcessingError for input that cannot be processed: it becomes the job's error, word for word.
   *   Whatever else is thrown becomes the job error `processing-failed`, and its message goes to the log only.
   */
  process(input: ProcessorInput): Promise<ProcessorResult>;
}

/** Thrown by a processor for input that it cannot process. Everything in it is shown to the job's watchers. */
export class ProcessingError extends Error {
  override readonly name = 'ProcessingError';
  /** The processor's own code, such as `not-csv`. */
  readonly code: string;
  /** One sentence for people. */
  readonly title: string;
  /** Where and what exactly; what to do about it. */
  readonly detail: string | undefined;
  /** Whether a new job with the same payload may succeed. */
  readonly retryable: boolean;

  constructor(
    failure: {
      readonly code: string;
      readonly title: string;
      readonly detail?: string;
      readonly retryable: boolean;
    },
    options?: ErrorOptions,
  ) {
    super(failure.detail === undefined ? failure.title : `${failure.title}: ${failure.detail}`, options);
    this.code = failure.code;
    this.title = failure.title;
    this.detail = failure.detail;
    this.retryable = failure.retryable;
  }
}
