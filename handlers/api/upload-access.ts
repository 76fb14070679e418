import type { UploadNotFoundError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import { ProblemError } from './problems.ts';

/** Whether the job has its payload, whatever has become of it since. */
export function isUploaded({ job }: JobRecord): boolean {
  return job.history.some(({ status }) => status === 'queued');
}

/** Why nothing can be uploaded for a job any more. */
export function noUpload({ job }: JobRecord, cause?: UploadNotFoundError): ProblemError {
  const detail =
    job.status === 'awaiting-upload'
      ? 'The upload was given up, and its parts are deleted; make a new job'
      : `The job is ${job.status}; nothing can be uploaded for it any more`;
  return new ProblemError('conflict', { detail, job }, { cause });
}
