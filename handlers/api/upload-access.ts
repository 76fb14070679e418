import type { UploadNotFoundError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import { ProblemError } from './problems.ts';

/** Whether the job has its payload, whatever has become of it since. */
export function isUploaded({ job }: JobRecord): boolean {
  return job.history.some(({ status }) => status === 'queued');
}

/** Why nothing can be uploaded for a job any more. */
export function noUpload({ job, upload }: JobRecord, cause?: UploadNotFoundError): ProblemError {
  const detail =
    job.status === 'awaiting-upload'
      ? `${upload === 'multipart' ? 'The upload was given up, and its parts are deleted' : 'The time to begin the upload is over'}; make a new job`
      : `The job is ${job.status}; nothing can be uploaded for it any more`;
  return new ProblemError('conflict', { detail, job }, { cause });
}
