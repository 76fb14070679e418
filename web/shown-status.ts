import type { Job } from '../protocol/job.ts';
import { STATUSES, type Status } from '../protocol/status.ts';

/** What a job is shown and found as: its status, but `stalled` while it runs and is not heard from. */
export type ShownStatus = Status | 'stalled';

/** All of them in the order of a job's life. */
export const SHOWN_STATUSES: readonly ShownStatus[] = STATUSES.flatMap((status): ShownStatus[] =>
  status === 'running' ? [status, 'stalled'] : [status],
);

/** See `ShownStatus`. */
export function shownStatus({ status, stalled }: Job): ShownStatus {
  return status === 'running' && stalled ? 'stalled' : status;
}
