import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { WatchClosedError } from './errors.ts';
import type { ConnectionState } from './state.ts';
import type { Feed } from './subscription.ts';
import { Watcher, type Watching } from './watcher.ts';

/** The watch of one job. It closes by itself once the job is terminal. */
export interface JobWatch extends Watching {
  readonly id: string;
  /** The newest state; absent until the first has come. */
  readonly job: Job | undefined;
  /**
   * Settles once: with the terminal state, whichever of the four it is, or with an error when the watch ends before.
   * @throws WatchError when the watch is refused; WatchClosedError after `close()`; the signal's reason after an
   * abort.
   */
  finished(): Promise<Job>;
}

/** See `JobWatch`. */
export class JobWatcher extends Watcher implements JobWatch {
  readonly id: string;
  readonly target: { readonly job: string };
  readonly #outcome = Promise.withResolvers<Job>();
  readonly #aborted: AbortSignal | undefined;
  #job: Job | undefined;

  constructor(feed: Feed, id: string, signal: AbortSignal | undefined) {
    super(feed);
    this.id = id;
    this.target = { job: id };
    this.#aborted = signal;
    // Who does not call `finished()` has heard of the end by the events.
    this.#outcome.promise.catch(() => {});
  }

  get job(): Job | undefined {
    return this.#job;
  }

  finished(): Promise<Job> {
    return this.#outcome.promise;
  }

  protected override wants(job: Job): boolean {
    return job.id === this.id;
  }

  protected override *current(): Iterable<Job> {
    if (this.#job !== undefined) yield this.#job;
  }

  protected override accepted(job: Job): void {
    this.#job = job;
    if (!isTerminal(job.status)) return;
    this.#outcome.resolve(job);
    this.close();
  }

  protected override closed(state: ConnectionState & { status: 'closed' }): void {
    // After a terminal state the promise is settled already and this changes nothing.
    this.#outcome.reject(
      state.error ??
        (this.#aborted?.aborted === true
          ? this.#aborted.reason
          : new WatchClosedError(`the watch of ${this.id} was closed before the job was finished`)),
    );
  }
}
