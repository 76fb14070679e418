import type { Head } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Access } from './access.ts';
import { backOffMs } from './back-off.ts';
import { ProblemError } from './errors.ts';
import { MAXIMUM_HELD, WAIT_SECONDS } from './limits.ts';
import type { Platform } from './platform.ts';
import { createTimers } from './timers.ts';
import type { Timings } from './timings.ts';

/** What is polled: the id of a job, or '' for the list of the caller's jobs, which stands for every topic. */
export type PollKey = string;

/** Whom a poller tells. */
export interface PollerListener {
  /** What all that is polled for has. */
  heads(): ReadonlyMap<string, Head | undefined>;
  received(job: Job): void;
  /** The server has answered a poll, or with an error has refused it for good. */
  answered(key: PollKey, error?: ProblemError): void;
  /** Something has changed for the worse: a poll is not answered any more. */
  due(): void;
  /** Why a poll failed, with an error that passes. */
  trouble(error: unknown): void;
}

/** Polls what it was told last. */
export interface Poller {
  /** Polls these, and nothing else. */
  follow(keys: ReadonlySet<PollKey>): void;
  /** Whether the last poll of it was answered. */
  answers(key: PollKey): boolean;
  /** Asks again at once, unless the server has said when: somebody has just begun to look. */
  wake(): void;
}

interface Loop {
  /** How many polls have failed since one was answered. */
  attempts: number;
  answered: boolean;
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
  { clock, random }: Platform,
  { answerMs, listMs, pollMs }: Timings,
  poll: Access['poll'],
  listener: PollerListener,
): Poller {
  const loops = new Map<PollKey, Loop>();
  /** By what is polled: the limit on the answer, or the time of the next poll. */
  const timers = createTimers(clock);

  async function ask(key: PollKey, loop: Loop, atOnce: boolean): Promise<void> {
    const begun = clock.now();
    const mayHold = key !== '' && loops.size <= MAXIMUM_HELD;
    // The first answer comes at once, since until then nobody knows whether what is shown is true.
    const waitSeconds = mayHold && loop.answered && !atOnce ? WAIT_SECONDS : 0;
    let delayMs = mayHold ? pollMs : listMs;
    loop.request?.abort();
    const request = new AbortController();
    loop.request = request;
    loop.retryAfterMs = undefined;
    // A request must be over soon after the API should have let it go.
    timers.set(key, waitSeconds * 1000 + answerMs, () => request.abort());
    const isOver = () => loop.request !== request;
    try {
      const jobs = (await poll?.(key, listener.heads().get(key), waitSeconds, request.signal)) ?? [];
      if (isOver()) return;
      loop.attempts = 0;
      loop.answered = true;
      for (const job of jobs) if (job) listener.received(job);
      if (!isOver()) listener.answered(key);
    } catch (error) {
      if (isOver()) return;
      loop.answered = false;
      timers.cancel(key);
      if (error instanceof ProblemError && !error.retryable) return listener.answered(key, error);
      const { retryAfterMs }: Partial<ProblemError> = Object(error);
      loop.retryAfterMs = retryAfterMs;
      delayMs = Math.max(delayMs, backOffMs(random, loop.attempts++, retryAfterMs));
      listener.due();
      listener.trouble(error);
    }
    if (isOver()) return;
    // Of a clock that was set back meanwhile no more than the whole delay.
    timers.set(key, Math.min(delayMs, begun + delayMs - clock.now()), () => ask(key, loop, false));
  }

  function follow(keys: ReadonlySet<PollKey>): void {
    for (const [key, loop] of loops) {
      if (keys.has(key)) continue;
      loops.delete(key);
      timers.cancel(key);
      loop.request?.abort();
      loop.request = undefined;
    }
    for (const key of keys) {
      if (loops.has(key) || !poll) continue;
      const loop = { attempts: 0, answered: false };
      loops.set(key, loop);
      void ask(key, loop, true);
    }
  }

  return {
    follow,
    answers: (key) => loops.get(key)?.answered === true,
    wake() {
      for (const [key, loop] of loops) if (!loop.retryAfterMs) void ask(key, loop, true);
    },
  };
}
