import { type Status, statusesBefore } from '../protocol/status.ts';
import type { RefusalReason } from './errors.ts';
import type { JobChange, JobRecord } from './ports.ts';

/** What a change asks of a job. Every adapter of `Jobs` refuses by these rules; stages do not call them. */

/**
 * The statuses that a change may find: those before `to`, or those `within`, or what both have in common.
 * Empty where the change can never be made (nothing leads to `awaiting-upload`; neither `to` nor `within`).
 */
export function statusesThatAllow(change: JobChange): readonly Status[] {
  const { to, within } = change;
  if (to === undefined) return within ?? [];
  const before = statusesBefore(to);
  return within === undefined ? before : before.filter((status) => within.includes(status));
}

/** Why a change may not be made to the job as it is; undefined where it may. */
export function refusalOf(current: JobRecord, change: JobChange): RefusalReason | undefined {
  if (change.epoch !== undefined && current.job.epoch !== change.epoch) return 'epoch';
  if (!statusesThatAllow(change).includes(current.job.status)) return 'status';
  if (change.execution !== undefined && current.execution?.id !== change.execution) return 'execution';
  if (change.seq !== undefined && current.job.seq !== change.seq) return 'seq';
  return undefined;
}

/**
 * Whether an execution asks for what it has done already: the job is in the status `to` and under the very
 * execution that the change names. A caller that got no answer (UnavailableError after a commit) may therefore
 * repeat a claim or an ending, with the same execution id, and learns that it holds. Execution ids must be
 * unique to a run for this to be true.
 */
export function isMadeAlready(current: JobRecord, change: JobChange): boolean {
  const execution = change.set?.execution?.id ?? change.execution;
  return (
    change.to !== undefined &&
    execution !== undefined &&
    (change.epoch === undefined || current.job.epoch === change.epoch) &&
    current.job.status === change.to &&
    current.execution?.id === execution
  );
}
