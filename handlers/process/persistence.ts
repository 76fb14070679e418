import { UnavailableError } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { Clock } from './clock.ts';

/** The ceiling of the first wait; it doubles with each attempt. Milliseconds. */
const FIRST_CEILING = 200;
const LAST_CEILING = 5_000;

/** What `persist` needs. */
export interface Persistence {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1; full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). */
  readonly random: () => number;
}

/**
 * Repeats what a service cannot do now, with growing waits, until `until` (milliseconds since the epoch) or
 * until `signal` is aborted.
 * @throws UnavailableError of the last attempt; every other error at once; the signal's reason.
 */
export async function persist<Result>(
  what: string,
  action: () => Promise<Result>,
  until: number,
  { clock, log, random }: Persistence,
  signal?: AbortSignal,
): Promise<Result> {
  for (let ceiling = FIRST_CEILING; ; ceiling = Math.min(LAST_CEILING, ceiling * 2)) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      const wait = random() * ceiling;
      if (!(error instanceof UnavailableError) || clock.now() + wait >= until) throw error;
      log.warn(`${what}: not possible now, will be tried again`, { error, waitMs: Math.round(wait) });
      await sleep(wait, clock, signal);
    }
  }
}

function sleep(milliseconds: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      timer.cancel();
      resolve();
    };
    const timer = clock.schedule(milliseconds, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}
