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
