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

/**
 * Asks for states over HTTP where there is no socket: for a job by requests that the API holds until it moves (with
 * more jobs than may hold one, by interval), for topics by `GET /jobs` by interval.
 */
export class Poller {
  readonly #platform: Platform;
  readonly #timings: Timings;
  readonly #access: Access;
  readonly #listener: PollerListener;
  readonly #loops = new Map<PollKey, AbortController>();

  constructor(platform: Platform, timings: Timings, access: Access, listener: PollerListener) {
    this.#platform = platform;
    this.#timings = timings;
    this.#access = access;
    this.#listener = listener;
  }

  /** Polls these, and nothing else. */
  follow(keys: ReadonlySet<PollKey>): void {
    for (const [key, loop] of this.#loops) {
      if (keys.has(key)) continue;
      this.#loops.delete(key);
      loop.abort();
    }
    for (const key of keys) {
      if (this.#access.poll === undefined || this.#loops.has(key)) continue;
      const loop = new AbortController();
      this.#loops.set(key, loop);
      void this.#run(key, this.#access.poll, loop.signal);
    }
  }

  /** Asks again at once: somebody has just begun to look. */
  wake(): void {
    const keys = new Set(this.#loops.keys());
    this.follow(new Set());
    this.follow(keys);
  }

  async #run(key: PollKey, poll: NonNullable<Access['poll']>, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#platform;
    const { listMs, pollMs } = this.#timings;
    const backOff = new BackOff(random);
    let confirmed = false;
    while (!signal.aborted) {
      const begun = clock.now();
      const mayHold = key !== '' && this.#loops.size <= MAXIMUM_HELD;
      // The first answer comes at once, since until then nobody knows whether what is shown is true.
      const waitSeconds = mayHold && confirmed ? WAIT_SECONDS : 0;
      let delayMs = mayHold ? pollMs : listMs;
      try {
        const jobs = await this.#limited(signal, async (limited) => {
          if (key === '') return poll.list(limited);
          return [await poll.job(key, this.#listener.since(key), waitSeconds, limited)];
        });
        if (signal.aborted) return;
        backOff.reset();
        confirmed = true;
        for (const job of jobs) if (job !== undefined) this.#listener.received(job);
        if (!signal.aborted) this.#listener.answered(key);
        if (signal.aborted) return;
      } catch (error) {
        if (signal.aborted) return;
        const refusal = error instanceof ProblemError ? error : undefined;
        if (refusal?.retryable === false) {
          this.#listener.refused(key, refusal);
          return;
        }
        confirmed = false;
        this.#listener.failed(key, error);
        delayMs = Math.max(delayMs, backOff.nextDelayMs(refusal?.retryAfterMs));
      }
      await this.#pause(begun + delayMs - clock.now(), signal);
    }
  }

  /** Runs a request that must be over soon after the API should have let it go. */
  async #limited<Result>(
    signal: AbortSignal,
    run: (limited: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const request = new AbortController();
    const abort = () => request.abort();
    signal.addEventListener('abort', abort);
    const limit = this.#platform.clock.schedule(WAIT_SECONDS * 1000 + this.#timings.answerMs, abort);
    try {
      return await run(request.signal);
    } finally {
      limit.cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  /** Waits; after an abort for ever, so that nothing is left but the timer, which is cancelled. */
  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#platform.clock.schedule(delayMs, resolve);
      signal.addEventListener('abort', () => timer.cancel());
    });
  }
}
