import { type Head, isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { WatchClosedError } from './errors.ts';
import { MAXIMUM_REMEMBERED } from './limits.ts';
import type { ConnectionState } from './state.ts';
import { covers, jobOf, type TopicName } from './topic-name.ts';
import type { Heads } from './wants.ts';

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

/** A watch as its feed sees it. */
export interface Watcher extends Watching {
  /** That of the job; '' of a topic. */
  readonly id: string;
  /** What it watches, of a job, too. */
  readonly topic: TopicName;
  /** See `TopicWatch`. */
  add(jobs: Iterable<Job>): void;
  readonly heads: Heads;
  connection: ConnectionState;
  /** The newest state that came; of a topic it is that of any job. */
  job?: Job;
  /** See `JobWatch`; never settles with a state for a topic. */
  finished(): Promise<Job>;
  /** Takes a state that came over the wire; what it does not want, or has already, it drops. */
  receive(job: Job): void;
  /** Hears of a fault that the connection gets over by itself. */
  trouble(error: unknown): void;
  /** Hears what its state is now; after `closed` it hears nothing more. */
  turn(state: ConnectionState): void;
}

/** Where the watchers of a tab that share a source of tickets get their states from. */
export interface Feed {
  /** Begins to serve a watcher. */
  add(watcher: Watcher): void;
  /** Stops serving a watcher; harmless when it is not served. */
  remove(watcher: Watcher): void;
  /** Says what the watchers want and have now. `wake`: somebody has just begun to look. */
  say(wake?: boolean): void;
  /** Ends all watches, and the connection even where it serves other tabs. */
  close(): void;
}

/**
 * Watches what `name` says until it is terminal or closed or `signal` aborts: drops what is not newer, tells
 * listeners, iterates.
 */
export function createWatcher(feed: Feed, name: TopicName, signal: AbortSignal | undefined): Watcher {
  const listeners = new Set<(event: WatchEvent) => void>();
  const heads = new Map<string, Head | undefined>();
  const terminal = new Map<string, Head>();
  const outcome = Promise.withResolvers<Job>();
  /** What is being told: what happens meanwhile, since a listener did something, is told to all after it. */
  const events: WatchEvent[] = [];
  const id = jobOf(name);
  /** Why it ended before its time, unless it was closed. */
  let failure: unknown;
  if (id) heads.set(id, undefined);
  // Who does not call `finished()` has heard of the end by the events.
  outcome.promise.catch(() => {});

  function tell(happened: WatchEvent): void {
    if (events.push(happened) > 1) return;
    for (const event of events) {
      for (const listener of [...listeners]) {
        try {
          if (listeners.has(listener)) listener(event);
        } catch (error) {
          // A listener's fault is its owner's to hear of, and must not keep the others or the connection from theirs.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    }
    events.length = 0;
  }

  const isClosed = () => watcher.connection.status === 'closed';

  const close = () => watcher.turn({ status: 'closed' });

  const watcher: Watcher = {
    id,
    topic: name,
    heads,
    connection: { status: 'connecting' },
    finished: () => outcome.promise,
    close,
    add(jobs) {
      for (const job of jobs) watcher.receive(job);
      feed.say();
    },
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    receive(job) {
      if (isClosed() || !covers(name, job)) return;
      const { id: key, epoch, seq } = job;
      if (!isNewer(job, heads.get(key) ?? terminal.get(key))) return;
      const isOver = isTerminal(job.status);
      heads.delete(key);
      if (terminal.size >= MAXIMUM_REMEMBERED) terminal.clear();
      (isOver ? terminal : heads).set(key, { epoch, seq });
      watcher.job = job;
      const over = id && isOver;
      // Before the listeners, one of which may close the watch.
      if (over) outcome.resolve(job);
      tell({ type: 'job', job });
      if (over) close();
    },
    trouble(error) {
      if (!isClosed()) tell({ type: 'trouble', error });
    },
    turn(connection) {
      // What it was lost at, or confirmed at, is what was told first; and who takes over has no `connecting` to tell.
      if (isClosed() || ['connecting', watcher.connection.status].includes(connection.status)) return;
      watcher.connection = connection;
      if (connection.status === 'closed') {
        feed.remove(watcher);
        signal?.removeEventListener('abort', close);
        // A signal has a reason once it has aborted.
        failure = connection.error ?? signal?.reason;
        // After a terminal state the promise is settled already and this changes nothing.
        outcome.reject(failure ?? new WatchClosedError('closed'));
      }
      tell({ type: 'connection', connection });
    },
    [Symbol.asyncIterator]() {
      const waiting = new Map<string, Job>();
      const end = { done: true } as IteratorReturnResult<undefined>; // what is absent is undefined
      let news = Promise.withResolvers<void>();
      watcher.on((event) => {
        if (event.type === 'job') waiting.set(event.job.id, event.job);
        news.resolve();
        news = Promise.withResolvers();
      });
      if (id && watcher.job) waiting.set(id, watcher.job);
      return {
        async next() {
          for (;;) {
            for (const [job, value] of waiting) {
              waiting.delete(job);
              return { value };
            }
            if (isClosed()) {
              if (failure) throw failure;
              return end;
            }
            await news.promise;
          }
        },
        async return() {
          close();
          return end;
        },
      };
    },
  };

  if (signal?.aborted) {
    close();
  } else {
    signal?.addEventListener('abort', close);
    feed.add(watcher);
  }
  return watcher;
}
