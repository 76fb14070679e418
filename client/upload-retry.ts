import { createBackOff } from './back-off.ts';
import { ProblemError, UnreachableError, UploadRefusedError } from './errors.ts';
import type { Platform } from './platform.ts';
import { isStall, STALLED_FOR_MS } from './upload-stall.ts';

/** What waiting for another attempt takes. */
export type RetryPlatform = Pick<Platform, 'clock' | 'random' | 'onWake'>;

/**
 * How long something is waited for in all, in milliseconds: five minutes. That is a tunnel, or a lift; who is away for
 * longer finds the upload resumable. Waits are counted, not attempts, because a wake makes an attempt of its own; and
 * no more of a wait than was meant to be, because a laptop that slept has not been trying. An attempt that stood still
 * was a wait, too: against a storage that hangs there are three, which take some eight minutes (upload-stall.ts).
 */
const PATIENCE_MS = 300_000;

/** What a wait that ran out counts for at least, in milliseconds: so there are a hundred at most, however short. */
const LEAST_WAIT_MS = 3_000;

/** S3's codes that say "not now" with a status of 400. */
const PASSING_CODES: ReadonlySet<string | undefined> = new Set([
  'RequestTimeout',
  'SlowDown',
  'IncompleteBody',
]);

/**
 * Tries again, with growing waits, what may pass by itself: no connection, 429, 408, 5xx. A wait ends early when
 * the network is back or the page is looked at, but not before what `Retry-After` asked for.
 * @throws the error of the last attempt, after some five minutes of waiting, between attempts or in those that stood
 *   still, or at once where `Retry-After` asks for longer than is left of them; every other error at once; the signal's
 *   reason.
 */
export async function persist<Result>(
  platform: RetryPlatform,
  action: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const backOff = createBackOff(platform.random);
  for (let patienceMs = PATIENCE_MS; ; ) {
    signal.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      if (isStall(error)) patienceMs -= STALLED_FOR_MS;
      const askedMs = error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0;
      if (patienceMs <= askedMs || !mayPass(error)) throw error;
      patienceMs -= await pause(platform, askedMs, backOff.nextDelayMs(), signal);
    }
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  if (error instanceof ProblemError) return error.retryable;
  if (!(error instanceof UploadRefusedError)) return false;
  return error.status >= 500 || error.status === 429 || error.status === 408 || PASSING_CODES.has(error.code);
}

/** Waits `askedMs`, and then `delayMs` or until a wake; answers how much patience that took. */
async function pause(
  { clock, onWake }: RetryPlatform,
  askedMs: number,
  delayMs: number,
  signal: AbortSignal,
): Promise<number> {
  const neverWoken = () => () => {};
  await wait(clock, askedMs, neverWoken, signal);
  const begun = clock.now();
  await wait(clock, delayMs, onWake, signal);
  const waitedMs = Math.max(0, clock.now() - begun); // the clock may have been set back
  return askedMs + (waitedMs < delayMs ? waitedMs : Math.max(delayMs, LEAST_WAIT_MS));
}

function wait(
  clock: RetryPlatform['clock'],
  delayMs: number,
  onWake: RetryPlatform['onWake'],
  signal: AbortSignal,
): Promise<void> {
  if (delayMs === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      stopListening();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.schedule(delayMs, end);
    // A network that has just gone wakes, too: an attempt would only make the next wait longer.
    const stopListening = onWake(() => {
      if (!isOffline()) end();
    });
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Whether the browser knows that there is no network; Node never does. */
function isOffline(): boolean {
  // Node's types know no `onLine`, the browser's know it always: optional holds for both.
  const { navigator } = globalThis as { readonly navigator?: { readonly onLine?: boolean } };
  return navigator?.onLine === false;
}
