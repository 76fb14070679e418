import type { Job } from '../protocol/job.ts';

/** The job ended while its file was still being sent: somebody cancelled it, or its time was up. */
export class UploadEndedError extends Error {
  override readonly name = 'UploadEndedError';
  /** The job as it ended. */
  readonly job: Job;

  constructor(job: Job, options?: ErrorOptions) {
    super(`nobody waits for the file any more: the job is ${job.status}`, options);
    this.job = job;
  }
}

/**
 * The file cannot be read any more: since it was chosen it was changed, moved or deleted, or its disk is gone. What
 * was sent of it is of a file that is no more, so nothing is tried again; `cause` is what the system says.
 */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';

  constructor(cause: unknown) {
    super('the file cannot be read any more: it was changed, moved or deleted since it was chosen', {
      cause,
    });
  }
}
