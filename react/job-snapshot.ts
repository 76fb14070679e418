import type { WatchError } from '../client/errors.ts';
import type { ConnectionState } from '../client/state.ts';
import { isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';

/** What is known of a job at one moment. A new object for every change, the same one until then. */
export interface JobSnapshot {
  /** The newest state; absent until the first has come. */
  readonly job: Job | undefined;
  /** How fresh it is. `connecting` before the watch has begun: on a server, and without an id. */
  readonly connection: ConnectionState;
  /** Why the watch ended without a terminal state, if it did. */
  readonly error: WatchError | undefined;
}

/** Before anything came; of a job that is over, nothing will. */
export function beforeWatching(job: Job | undefined): JobSnapshot {
  const over = job !== undefined && isTerminal(job.status);
  return { job, connection: { status: over ? 'closed' : 'connecting' }, error: undefined };
}

/** The same moment with the newer of its job and `known`. */
export function withNewer(snapshot: JobSnapshot, known: Job | undefined): JobSnapshot {
  if (known === undefined || known === snapshot.job) return snapshot;
  if (snapshot.job !== undefined && !isNewer(known, snapshot.job)) return snapshot;
  return { ...snapshot, job: known };
}

/**
 * Whether `next` says something that a person must not wait for: the first state, the end, or another state of
 * the connection.
 */
export function isUrgent(next: JobSnapshot, shown: JobSnapshot): boolean {
  if (next.connection.status !== shown.connection.status) return true;
  return next.job !== undefined && (shown.job === undefined || isTerminal(next.job.status));
}
