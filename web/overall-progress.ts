import type { Job } from '../protocol/job.ts';
import { UPLOAD_SHARE } from '../protocol/upload-share.ts';
import type { UploadState } from './upload-state.ts';

/** How far one job is from the first byte to the result, as a bar that never goes back. */
export class OverallProgress {
  #epoch = '';
  #largest: number | undefined;

  /**
   * From 0 to 1; undefined while there is nothing to tell it from. Never less than the answer before: the states
   * of a job do not go back, but an upload of this page that is stopped had come further than was reported of it.
   */
  of(job: Job, upload: UploadState | undefined): number | undefined {
    if (job.epoch !== this.#epoch) this.#largest = undefined;
    this.#epoch = job.epoch;
    const fraction = fractionOf(job, upload);
    if (fraction !== undefined) this.#largest = Math.max(fraction, this.#largest ?? 0);
    return this.#largest;
  }
}

/**
 * An upload of this page is known here sooner and finer than the API tells it to everybody, but it counts only once
 * it has been reported: a file that is sent within a second never is, and then the work begins at 0.
 */
function fractionOf(job: Job, upload: UploadState | undefined): number | undefined {
  if (job.status === 'succeeded') return 1;
  const known = job.progress?.fraction;
  if (known === undefined || job.status !== 'awaiting-upload') return known;
  if (upload?.phase === 'sent') return Math.max(known, UPLOAD_SHARE);
  return upload?.phase === 'sending' ? Math.max(known, (UPLOAD_SHARE * upload.sent) / upload.total) : known;
}
