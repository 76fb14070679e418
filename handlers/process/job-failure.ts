import type { JobError } from '../../protocol/job.ts';
import { InvalidReportError, ObjectChangedError, ObjectNotFoundError, TooLargeError } from '../errors.ts';
import { checkFields } from '../job-fields.ts';
import { ProcessingError } from './processor.ts';

/** The job error of a job that ran out of time. */
export const TIME_LIMIT_ERROR: JobError = {
  code: 'time-limit',
  title: 'The work took longer than is allowed here',
  detail: 'The function that works on jobs runs for 15 minutes at most. Try a smaller file.',
  retryable: false,
};

/** The job error of a job whose kind nobody here can work on: left over from before a deployment. */
export const UNKNOWN_KIND_ERROR: JobError = {
  code: 'unknown-kind',
  title: 'This kind of work is not offered here any more',
  retryable: false,
};

/** The job error of a payload that stopped in the middle. */
export const UNREADABLE_ERROR: JobError = {
  code: 'upload-unreadable',
  title: 'The uploaded file could not be read to its end',
  retryable: true,
};

/** The job error of work that broke off and that nobody takes up again; the sweep says the same. */
export const LOST_ERROR: JobError = {
  code: 'processor-lost',
  title: 'The work broke off and was not taken up again',
  retryable: true,
};

/** The job error of everything that nobody said on purpose. */
export const PROCESSING_FAILED: JobError = {
  code: 'processing-failed',
  title: 'Something went wrong while the file was processed',
  retryable: false,
};

/**
 * What a job says of the error that ended it. Only what a processor said on purpose is shown; of everything else
 * the message stays in the log, since it may quote what is none of the watchers' business.
 */
export function jobErrorOf(error: unknown): JobError {
  if (error instanceof ObjectChangedError) {
    return {
      code: 'object-changed',
      title: 'The uploaded file was overwritten after it had been checked',
      retryable: true,
    };
  }
  if (error instanceof ObjectNotFoundError) {
    return { code: 'object-missing', title: 'The uploaded file is not there any more', retryable: true };
  }
  if (!(error instanceof ProcessingError)) return PROCESSING_FAILED;
  const { code, title, detail, retryable } = error;
  const said = { code, title, ...(detail === undefined ? {} : { detail }), retryable };
  return isStorable(said) ? said : PROCESSING_FAILED;
}

function isStorable(error: JobError): boolean {
  try {
    checkFields({ error });
    return true;
  } catch (refusal) {
    if (refusal instanceof TooLargeError || refusal instanceof InvalidReportError) return false;
    throw refusal;
  }
}
