import { type Head, isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { ConnectionState } from './state.ts';
import type { Feed, Subscription, Target } from './subscription.ts';

/**
 * What a watch tells: a newer state of a job; how fresh the states are now (`closed` is the last word); or a fault
 * that the client gets over by itself, for a log: a frame that could not be read, a ticket that did not come.
 */
export type WatchEvent =
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  | { readonly type: 'trouble'; readonly error: unknown };

/** What is common to the watch of a job and that of a topic. */
export interface Watching extends AsyncIterable<Job> {
  /** How fresh the states are now. */
  readonly connection: ConnectionState;
  /** Calls `listener` with each event from now on; returns how to stop. */
  on(listener: (event: WatchEvent) => void): () => void;
  /** Ends the watch; harmless when it has ended. */
  close(): void;
}

/** The most jobs that a topic's watch remembers in order to drop old frames; beyond, terminal ones are forgotten. */
const MAXIMUM_REMEMBERED = 5_000;

interface Known extends Head {
  readonly terminal: boolean;
}

/**
 * The half of every watch that does not depend on what is watched: drops what is not newer, tells listeners,
 * iterates, closes.
 */
export abstract class Watcher implements Subscription, Watching {
  abstract readonly target: Target;
  readonly #feed: Feed;
  readonly #listeners = new Set<(event: WatchEvent) => void>();
  readonly #known = new Map<string, Known>();
  #state: ConnectionState = { status: 'connecting' };
  #signal: AbortSignal | undefined;
  readonly #abort = () => this.close();

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** Whether a state that came over the connection is for this watch. */
  protected abstract wants(job: Job): boolean;
  /** Hears each newer state after the listeners have. */
  protected abstract accepted(job: Job): void;
  /** Hears that the watch is over. */
  protected abstract closed(state: ConnectionState & { status: 'closed' }): void;

  /** Begins to watch, until `signal` aborts. */
  start(signal: AbortSignal | undefined): void {
    this.#signal = signal;
    if (signal?.aborted === true) {
      this.close();
      return;
    }
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#feed.add(this);
  }

  get connection(): ConnectionState {
    return this.#state;
  }

  on(listener: (event: WatchEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.changeState({ status: 'closed' });
  }

  /**
   * Every newer state from now on, until the watch closes. A slow reader gets the newest state of each job and
   * misses those between: each state is whole. Leaving the loop closes the watch.
   * @throws WatchError when the watch is refused.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Job> {
    const waiting = new Map<string, Job>();
    let wake = () => {};
    const stop = this.on((event) => {
      if (event.type === 'job') waiting.set(event.job.id, event.job);
      wake();
    });
    for (const job of this.current()) waiting.set(job.id, job);
    try {
      for (;;) {
        for (const [id, job] of waiting) {
          waiting.delete(id);
          yield job;
        }
        if (waiting.size > 0) continue;
        if (this.#state.status === 'closed') {
          if (this.#state.error !== undefined) throw this.#state.error;
          return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      stop();
      this.close();
    }
  }

  since(): Head | undefined {
    if (!('job' in this.target)) return undefined;
    const known = this.#known.get(this.target.job);
    return known && { epoch: known.epoch, seq: known.seq };
  }

  *heads(): Iterable<readonly [job: string, seq: number]> {
    for (const [job, known] of this.#known) if (!known.terminal) yield [job, known.seq];
  }

  receive(job: Job): void {
    if (this.#state.status === 'closed' || !this.wants(job)) return;
    if (!isNewer(job, this.#known.get(job.id))) return;
    this.#remember(job);
    this.#tell({ type: 'job', job });
    this.accepted(job);
  }

  trouble(error: unknown): void {
    this.#tell({ type: 'trouble', error });
  }

  changeState(state: ConnectionState): void {
    if (this.#state.status === 'closed') return;
    this.#state = state;
    this.#tell({ type: 'connection', connection: state });
    if (state.status !== 'closed') return;
    this.#feed.remove(this);
    this.#signal?.removeEventListener('abort', this.#abort);
    this.closed(state);
    this.#listeners.clear();
  }

  /** What an iteration begins with. */
  protected abstract current(): Iterable<Job>;

  #remember(job: Job): void {
    this.#known.set(job.id, { epoch: job.epoch, seq: job.seq, terminal: isTerminal(job.status) });
    if (this.#known.size <= MAXIMUM_REMEMBERED) return;
    for (const [id, known] of this.#known) {
      if (!known.terminal) continue;
      this.#known.delete(id);
      return;
    }
  }

  #tell(event: WatchEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's fault is its owner's to hear of, and must not keep the others or the connection from theirs.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
