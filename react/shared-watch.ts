import type { JobwireClient, WatchJobOptions } from '../client/client.ts';
import type { JobWatch } from '../client/job-watch.ts';
import type { JobSnapshot } from './job-snapshot.ts';

/** How a job is watched; see `WatchJobOptions`. */
export type Access = Pick<WatchJobOptions, 'token' | 'ticket'>;

/** The watches that components hold now, by client; a client that is dropped takes its entry with it. */
const WATCHES = new WeakMap<JobwireClient, Map<string, SharedWatch>>();

/**
 * The watch that every component of a page shares which shows the same job with the same token.
 *
 * It ends a turn of the event loop after the last component has left: Strict Mode takes each component away and
 * puts it back at once, and so does a list that moves a row, neither of which should cost a connection.
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
      // `watch.job` follows the event, so the event's own job is the newest.
      this.#snapshot = event.type === 'job' ? { ...this.#snapshot, job: event.job } : snapshotOf(watch);
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
    const shared = new SharedWatch(client.watchJob(id, access), () => ofClient.delete(key));
    ofClient.set(key, shared);
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
  return `${id} ${access.token ?? ''}`;
}

function snapshotOf(watch: JobWatch): JobSnapshot {
  const { job, connection } = watch;
  return { job, connection, error: connection.status === 'closed' ? connection.error : undefined };
}
