import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { JobResultSchema } from '../../protocol/job.ts';
import { ObjectChangedError, ObjectNotFoundError, UnavailableError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import { UNREADABLE_ERROR } from './job-failure.ts';
import { ProcessingError, type Processor, type ProcessorResult } from './processor.ts';
import type { ProgressReporter } from './report.ts';

/** What a processor made, as it is stored. */
export interface Processed {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/**
 * Runs a processor on an opened upload, and closes it. Does not wait for a processor that ignores the signal.
 * @throws the signal's reason once it is aborted; UnavailableError, ObjectChangedError, ObjectNotFoundError when
 *   the upload broke off for that reason, ProcessingError when it broke off for another; TypeError when the result
 *   has no storable content type; whatever the processor throws.
 */
export async function runProcessor(
  processor: Processor,
  record: JobRecord,
  body: Readable,
  reporter: ProgressReporter,
  signal: AbortSignal,
): Promise<Processed> {
  let broke: Error | undefined;
  // Without a listener, a stream that fails after its reader has gone would end the whole process.
  body.on('error', (error) => {
    broke = error;
  });
  const { input } = record.job;
  try {
    const working = processor.process({
      body,
      size: input?.size ?? 0,
      contentType: input?.contentType ?? 'application/octet-stream',
      fileName: input?.fileName ?? record.job.id,
      report: (report) => reporter.report(report),
      signal,
    });
    return checked(await Promise.race([working, whenAborted(signal)]));
  } catch (error) {
    signal.throwIfAborted();
    // Whatever the processor made of it: the upload is another than it was, or may be readable later.
    if (broke !== undefined && OF_THE_UPLOAD.some((type) => broke instanceof type)) throw broke;
    if (broke !== undefined && error === broke)
      throw new ProcessingError(UNREADABLE_FAILURE, { cause: error });
    throw error;
  } finally {
    body.destroy();
  }
}

const OF_THE_UPLOAD = [UnavailableError, ObjectChangedError, ObjectNotFoundError];

const UNREADABLE_FAILURE = {
  code: UNREADABLE_ERROR.code,
  title: UNREADABLE_ERROR.title,
  retryable: UNREADABLE_ERROR.retryable,
};

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function checked({ body, contentType }: ProcessorResult): Processed {
  if (!v.is(JobResultSchema.entries.contentType, contentType)) {
    throw new TypeError(`the processor's result has a content type that cannot be stored: ${contentType}`);
  }
  return { bytes: typeof body === 'string' ? new TextEncoder().encode(body) : body, contentType };
}
