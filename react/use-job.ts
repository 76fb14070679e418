import { useMemo, useSyncExternalStore } from 'react';
import type { JobwireClient } from '../client/client.ts';
import type { Job } from '../protocol/job.ts';
import type { JobSnapshot } from './job-snapshot.ts';
import { JobView } from './job-view.ts';
import { useJobwireClient } from './provider.ts';
import type { Access } from './shared-watch.ts';

/**
 * How `useJob` watches. `client`, `token`, `via` and `throttleMs` may change over time; `ticket` and `initialJob` count
 * when the watch begins, so they may be written in place.
 */
export interface UseJobOptions extends Access {
  /** Instead of the provider's. */
  readonly client?: JobwireClient;
  /**
   * The component renders at most once in so many milliseconds for progress; 0, the default, renders each state.
   * The first state, the terminal state and changes of the connection never wait.
   */
  readonly throttleMs?: number;
  /** What is known of the job already, such as what a server has read: shown until the watch knows better. */
  readonly initialJob?: Job;
}

/** What `useJob` gives: the same object until something in it changes. */
export interface UsedJob extends JobSnapshot {
  /** Cancels the job; the same function for the same job. Throws what `JobwireClient.cancel` throws. */
  readonly cancel: () => Promise<Job>;
}

/**
 * Watches a job for as long as the component is shown, and until the job is terminal. Components that show the
 * same job share one watch, and all jobs of the caller share one connection.
 *
 * ```tsx
 * const { job, connection } = useJob(id);
 * return <progress value={job?.progress?.fraction ?? 0} />;
 * ```
 *
 * On a server it renders `initialJob` and connects to nothing.
 * @param id undefined where there is no job yet: nothing is watched
 * @throws MissingClientError without a client; TypeError for a `via` that is none.
 */
export function useJob(id: string | undefined, options: UseJobOptions = {}): UsedJob {
  const client = useJobwireClient(options.client);
  const { token, ticket, via, throttleMs = 0, initialJob } = options;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `ticket` and `initialJob` are for the beginning of a watch; new ones must not begin another
  const view = useMemo(
    () =>
      new JobView(client, id, {
        ...(token === undefined ? {} : { token }),
        ...(ticket === undefined ? {} : { ticket }),
        via,
        throttleMs,
        initialJob,
      }),
    [client, id, token, via, throttleMs],
  );
  const snapshot = useSyncExternalStore(view.subscribe, view.snapshot, view.serverSnapshot);
  return useMemo(() => ({ ...snapshot, cancel: view.cancel }), [snapshot, view]);
}
