import type { Head } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Access } from './access.ts';
import { BackOff } from './back-off.ts';
import { ProblemError } from './errors.ts';
import type { Platform } from './platform.ts';
import type { Timings } from './timings.ts';

/** What is polled: the id of a job, or '' for the list of the caller's jobs, which stands for every topic. */
export type PollKey = string;

/** Whom a poller tells. */
export interface PollerListener {
  /** The newest state that every watcher of a job has; undefined while one has none. */
  since(key: PollKey): Head | undefined;
  received(job: Job): void;
  answered(key: PollKey): void;
  /** A poll failed with an error that passes. */
  failed(key: PollKey, error: unknown): void;
  /** A poll was refused for good. */
  refused(key: PollKey, error: ProblemError): void;
}

/** How long the API holds a request, in seconds (the wire contract, `Prefer: wait`). */
const WAIT_SECONDS = 20;

/** The most requests that are held at once: browsers open six connections to a host over HTTP/1.1. */
const MAXIMUM_HELD = 4;

/** Polls what it was told last. */
export interface Poller {
  /** Polls these, and nothing else. */
  follow(keys: ReadonlySet<PollKey>): void;
  /** Asks again at once: somebody has just begun to look. */
  wake(): void;
}

/**
 * Asks for states over HTTP where there is no socket: for a job by requests that the API holds until it moves (with
 * more jobs than may hold one, by interval), for topics by `GET /jobs` by interval.
 */
export function createPoller(
  { clock, random }: Platform,
  { answerMs, listMs, pollMs }: Timings,
  { poll }: Access,
  listener: PollerListener,
): Poller {
  const loops = new Map<PollKey, AbortController>();

  async function run(key: PollKey, signal: AbortSignal): Promise<void> {
    const backOff = new BackOff(random);
    let confirmed = false;
    let stop = () => {};
    signal.addEventListener('abort', () => stop());
    while (!signal.aborted && poll !== undefined) {
      const begun = clock.now();
      const mayHold = key !== '' && loops.size <= MAXIMUM_HELD;
      // The first answer comes at once, since until then nobody knows whether what is shown is true.
      const waitSeconds = mayHold && confirmed ? WAIT_SECONDS : 0;
      let delayMs = mayHold ? pollMs : listMs;
      // A request must be over soon after the API should have let it go.
      const request = new AbortController();
      stop = () => request.abort();
      const limit = clock.schedule(waitSeconds * 1000 + answerMs, stop);
      try {
        const jobs =
          key === ''
            ? await poll.list(request.signal)
            : [await poll.job(key, listener.since(key), waitSeconds, request.signal)];
        if (signal.aborted) return;
        backOff.reset();
        confirmed = true;
        for (const job of jobs) if (job !== undefined) listener.received(job);
        if (!signal.aborted) listener.answered(key);
      } catch (error) {
        if (signal.aborted) return;
        confirmed = false;
        const problem = error instanceof ProblemError ? error : undefined;
        if (problem?.retryable === false) {
          listener.refused(key, problem);
          return;
        }
        delayMs = Math.max(delayMs, backOff.nextDelayMs(problem?.retryAfterMs));
        listener.failed(key, error);
      } finally {
        limit.cancel();
      }
      await new Promise<void>((resolve) => {
        const timer = clock.schedule(begun + delayMs - clock.now(), resolve);
        // Then nothing is left of this loop but a promise that nobody keeps.
        stop = () => timer.cancel();
        if (signal.aborted) stop();
      });
    }
  }

  function follow(keys: ReadonlySet<PollKey>): void {
    for (const [key, loop] of loops) {
      if (keys.has(key)) continue;
      loops.delete(key);
      loop.abort();
    }
    for (const key of keys) {
      if (loops.has(key)) continue;
      const loop = new AbortController();
      loops.set(key, loop);
      void run(key, loop.signal);
    }
  }

  return {
    follow,
    wake() {
      const keys = new Set(loops.keys());
      follow(new Set());
      follow(keys);
    },
  };
}
