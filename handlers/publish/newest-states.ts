import { isNewer } from '../../protocol/job.ts';
import type { MalformedDataError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';

/** One record of the jobs table's stream. */
export type JobChange =
  | { readonly sequenceNumber: string; readonly at: Date; readonly record: JobRecord }
  | { readonly sequenceNumber: string; readonly malformed: MalformedDataError };

/** The newest state of one job in a batch, and where in the batch the job first occurs. */
export interface NewestState {
  readonly record: JobRecord;
  /** Position in the batch. From here on the batch has to come again if the job could not be dealt with. */
  readonly firstPosition: number;
}

/** The newest state of every job in a batch. Older ones may be dropped: a frame is the whole state. */
export function newestStates(changes: readonly JobChange[]): readonly NewestState[] {
  const newest = new Map<string, NewestState>();
  for (const [position, change] of changes.entries()) {
    if ('malformed' in change) continue;
    const { record } = change;
    const known = newest.get(record.job.id);
    if (known === undefined) newest.set(record.job.id, { record, firstPosition: position });
    else if (isNewer(record.job, known.record.job)) newest.set(record.job.id, { ...known, record });
  }
  return [...newest.values()];
}
