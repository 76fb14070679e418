import type { JobwireClient, WatchJobOptions } from '../client/client.ts';
import type { JobWatch } from '../client/job-watch.ts';
import { isTerminal } from '../protocol/status.ts';
import { type JobSnapshot, withNewer } from './job-snapshot.ts';

/** How a job is watched; see `WatchJobOptions`. */
export type Access = Pick<WatchJobOptions, 'token' | 'ticket' | 'via'>;

/** The watches that components hold now, by client; a client that is dropped takes its entry with it. */
const WATCHES = new WeakMap<JobwireClient, Map<string, SharedWatch>>();

/**
 * The watch that every component of a page shares which shows the same job with the same token by the same way.
 *
 * It ends a turn of the event loop after the last component has left: Strict Mode takes each component away and
 * puts it back at once, and so does a list that moves a row, neither of which should cost a connection. One that ended
 * before its job did is shared no longer: a component that is mounted after that watches anew.
 */
export class SharedWatch {
  readonly #watch: JobWatch;
  readonly #ended: () => void;
  readonly #listeners = new Set<() => void>();
  #snapshot: JobSnapshot;
  #ending: ReturnType<typeof setTimeout> | undefined;

  private constructor(watch: JobWatch, ended: () => void) {
    this.#watch = watch;
    this.#ended = ended;
    this.#snapshot = snapshotOf(watch);
    watch.on((event) => {
      if (event.type === 'trouble') return; // the client gets over it, and `connection` tells
      const { job } = this.#snapshot;
      // An event may be heard before or after `watch.job` is what it says: the newer of both is shown.
      this.#snapshot =
        event.type === 'job' ? withNewer(this.#snapshot, event.job) : withNewer(snapshotOf(watch), job);
      if (endedEarly(this.#snapshot)) this.#ended();
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** The watch of a job if a component holds one already. */
  static find(client: JobwireClient, id: string, access: Access): SharedWatch | undefined {
    return WATCHES.get(client)?.get(keyOf(id, access));
  }

  /** The watch of a job, begun if there is none. A `ticket` is used by whoever begins. */
  static open(client: JobwireClient, id: string, access: Access): SharedWatch {
    const existing = SharedWatch.find(client, id, access);
    if (existing !== undefined) return existing;
    const ofClient = WATCHES.get(client) ?? new Map<string, SharedWatch>();
    WATCHES.set(client, ofClient);
    const key = keyOf(id, access);
    const shared: SharedWatch = new SharedWatch(client.watchJob(id, access), () => {
      // Another may be there by now: after a refusal, whoever comes next tries again.
      if (ofClient.get(key) === shared) ofClient.delete(key);
    });
    if (!endedEarly(shared.snapshot)) ofClient.set(key, shared);
    return shared;
  }

  get snapshot(): JobSnapshot {
    return this.#snapshot;
  }

  /** Calls `listener` after each change; returns how to stop, and the last to stop ends the watch. */
  listen(listener: () => void): () => void {
    clearTimeout(this.#ending);
    this.#listeners.add(listener);
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#ending = setTimeout(() => {
        this.#ended();
        this.#watch.close();
      });
    };
  }
}

function keyOf(id: string, access: Access): string {
  return `${id} ${access.via ?? 'auto'} ${access.token ?? ''}`;
}

/** Whether nothing more will come of a job that is not over. Whoever is shown later may be luckier: it was signed in. */
function endedEarly({ job, connection }: JobSnapshot): boolean {
  return connection.status === 'closed' && (job === undefined || !isTerminal(job.status));
}

function snapshotOf(watch: JobWatch): JobSnapshot {
  const { job, connection } = watch;
  return { job, connection, error: connection.status === 'closed' ? connection.error : undefined };
}
