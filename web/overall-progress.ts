import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { UploadState } from './uploads.ts';

/**
 * How much of the whole an upload counts, as the API has it where an upload is reported to it
 * (docs/decisions/0011-one-timeline.md). Here it only fills the time until that report is back.
 */
const UPLOAD_SHARE = 0.5;

/** Upload and work as one. */
export interface OverallProgress {
  /** 0 to 1; absent while there is nothing to tell it from. */
  readonly fraction?: number;
}

/** How far a job is from first byte to result. */
export function overallOf(job: Job, upload: UploadState | undefined): OverallProgress {
  if (job.status === 'succeeded') return { fraction: 1 };
  const known = job.progress?.fraction;
  const here = isTerminal(job.status) ? undefined : shareSentFromHere(upload);
  if (here === undefined) return known === undefined ? {} : { fraction: known };
  return { fraction: Math.max(known ?? 0, UPLOAD_SHARE * here) };
}

/** An upload of this page is known here sooner, and finer, than the job tells it to everybody. */
function shareSentFromHere(upload: UploadState | undefined): number | undefined {
  if (upload?.phase === 'sending') return upload.sent / upload.total;
  return upload?.phase === 'sent' ? 1 : undefined;
}
