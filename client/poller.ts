import type { Head } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Access } from './access.ts';
import { backOffMs } from './back-off.ts';
import type { ProblemError } from './errors.ts';
import { MAXIMUM_HELD, WAIT_SECONDS } from './limits.ts';
import { createTimers } from './timers.ts';
import type { Setup } from './timings.ts';

/** What is polled: the id of a job, or '' for the list of the caller's jobs, which stands for every topic. */
export type PollKey = string;

/** Whom a poller tells. */
export interface PollerListener {
  /** What all that is polled for has. */
  heads(): ReadonlyMap<string, Head | undefined>;
  receive(job: Job): void;
  /** The server has answered a poll, or with an error has refused it for good. */
  answered(key: PollKey, error?: ProblemError): void;
  /** A poll is not answered any more; with an error that passes. */
  failed(error: unknown): void;
}

/** Polls what it was told last. */
export interface Poller {
  /** Polls these, and nothing else. */
  want(keys: readonly PollKey[]): void;
  /** Whether the last poll of it was answered. */
  answers(key: PollKey): boolean | undefined;
  /** Asks again at once, unless the server has said when: somebody has just begun to look. */
  wake(): void;
}

interface Loop {
  /** How many polls have failed since one was answered. */
  failed: number;
  answered?: boolean;
  /** The request that is on its way or was the last; absent when nobody wants its answer. */
  request?: AbortController | undefined;
  /** The server has said how long to wait. */
  retryAfterMs?: number | undefined;
}

/**
 * Asks for states over HTTP where there is no socket: for a job by requests that the API holds until it moves (with
 * more jobs than may hold one, by interval), for topics by `GET /jobs` by interval.
 */
export function createPoller(
  { answerMs, clock, listMs, pollMs, random }: Setup,
  poll: Access['poll'],
  listener: PollerListener,
): Poller {
  const loops = new Map<PollKey, Loop>();
  /** By what is polled: the limit on the answer, or the time of the next poll. */
  const timers = createTimers(clock);

  async function ask(key: PollKey, loop: Loop, atOnce?: boolean): Promise<void> {
    const mayHold = key !== '' && loops.size <= MAXIMUM_HELD;
    // The first answer comes at once, since until then nobody knows whether what is shown is true.
    const waitSeconds = mayHold && loop.answered && !atOnce ? WAIT_SECONDS : 0;
    let delayMs = mayHold ? pollMs : listMs;
    loop.request?.abort();
    const request = new AbortController();
    loop.request = request;
    // A request must be over soon after the API should have let it go.
    timers.set(key, waitSeconds * 1000 + answerMs, () => request.abort());
    const isOver = () => loop.request !== request;
    try {
      const jobs = (await poll?.(key, listener.heads().get(key), waitSeconds, request.signal)) ?? [];
      if (isOver()) return;
      loop.failed = loop.retryAfterMs = 0;
      loop.answered = true;
      for (const job of jobs) if (job) listener.receive(job);
      listener.answered(key);
    } catch (error) {
      if (isOver()) return;
      loop.answered = false;
      timers.cancel(key);
      const { retryable, retryAfterMs }: Partial<ProblemError> = Object(error);
      // Only a problem says so.
      if (retryable === false) return listener.answered(key, error as ProblemError);
      loop.retryAfterMs = retryAfterMs;
      delayMs = Math.max(delayMs, backOffMs(random, loop.failed++, retryAfterMs));
      listener.failed(error);
    }
    if (isOver()) return;
    timers.set(key, delayMs, () => ask(key, loop));
  }

  function want(keys: readonly PollKey[]): void {
    for (const [key, loop] of loops) {
      if (keys.includes(key)) continue;
      loops.delete(key);
      timers.cancel(key);
      loop.request?.abort();
      loop.request = undefined;
    }
    for (const key of keys) {
      if (loops.has(key) || !poll) continue;
      const loop: Loop = { failed: 0 };
      loops.set(key, loop);
      void ask(key, loop, true);
    }
  }

  return {
    want,
    answers: (key) => loops.get(key)?.answered,
    wake() {
      for (const [key, loop] of loops) if (!loop.retryAfterMs) void ask(key, loop, true);
    },
  };
}
