import type { JobwireClient } from '../client/client.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { beforeWatching, isUrgent, type JobSnapshot, withNewer } from './job-snapshot.ts';
import { type Access, SharedWatch } from './shared-watch.ts';
import { Throttle } from './throttle.ts';

/** What a view shows, and how. */
export interface JobViewOptions extends Access {
  /** See `UseJobOptions`. */
  readonly throttleMs: number;
  /** See `UseJobOptions`. */
  readonly initialJob: Job | undefined;
}

/**
 * What one component sees of a job: the store behind `useSyncExternalStore`. Making one does nothing, so that
 * React may throw away what it rendered; the watch begins with `subscribe`.
 */
export class JobView {
  readonly #client: JobwireClient;
  readonly #id: string | undefined;
  readonly #options: JobViewOptions;
  readonly #atFirst: JobSnapshot;
  #shown: JobSnapshot;

  constructor(client: JobwireClient, id: string | undefined, options: JobViewOptions) {
    this.#client = client;
    this.#id = id;
    this.#options = options;
    this.#atFirst = beforeWatching(options.initialJob);
    const shared = id === undefined ? undefined : SharedWatch.find(client, id, options);
    this.#shown = shared === undefined ? this.#atFirst : withNewer(shared.snapshot, options.initialJob);
  }

  /** Bound, as React wants one function for the life of the view. */
  readonly subscribe = (changed: () => void): (() => void) => {
    const { initialJob } = this.#options;
    // Nothing follows a terminal state: there is nothing to connect for.
    if (this.#id === undefined || (initialJob !== undefined && isTerminal(initialJob.status))) {
      return () => {};
    }
    const shared = SharedWatch.open(this.#client, this.#id, this.#options);
    const show = () => {
      const next = withNewer(shared.snapshot, this.#shown.job);
      if (isSame(next, this.#shown)) return;
      this.#shown = next;
      changed();
    };
    const throttle = new Throttle(this.#options.throttleMs, show);
    const stop = shared.listen(() => {
      if (isUrgent(shared.snapshot, this.#shown)) throttle.flush();
      else throttle.request();
    });
    show(); // what came between rendering and subscribing
    return () => {
      throttle.cancel();
      stop();
    };
  };

  /** What is shown now; the same object until that changes. */
  readonly snapshot = (): JobSnapshot => this.#shown;

  /** What a server renders, and a browser while it takes over what a server has rendered. */
  readonly serverSnapshot = (): JobSnapshot => this.#atFirst;

  /** Cancels the job. @throws what `JobwireClient.cancel` throws; TypeError without an id. */
  readonly cancel = async (): Promise<Job> => {
    if (this.#id === undefined) throw new TypeError('there is no job to cancel yet: useJob has no id');
    const { token } = this.#options;
    return await this.#client.cancel(this.#id, token === undefined ? {} : { token });
  };
}

function isSame(one: JobSnapshot, other: JobSnapshot): boolean {
  return one.job === other.job && one.connection === other.connection;
}
