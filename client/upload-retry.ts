import { BackOff } from './back-off.ts';
import { ProblemError, UnreachableError, UploadRefusedError } from './errors.ts';
import type { Platform } from './platform.ts';

/** What waiting for another attempt takes. */
export type RetryPlatform = Pick<Platform, 'clock' | 'random' | 'onWake'>;

/**
 * How often something is tried: with full jitter up to 30 seconds each, about five minutes in all. That is a tunnel,
 * or a lift; who is away for longer finds the upload resumable.
 */
const ATTEMPTS = 25;

/** S3's codes that say "not now" with a status of 400. */
const PASSING_CODES: ReadonlySet<string | undefined> = new Set([
  'RequestTimeout',
  'SlowDown',
  'IncompleteBody',
]);

/**
 * Tries again, with growing waits, what may pass by itself: no connection, 429, 408, 5xx. A wait ends early when
 * the network is back or the page is looked at.
 * @throws the error of the last attempt; every other error at once; the signal's reason.
 */
export async function persist<Result>(
  platform: RetryPlatform,
  action: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const backOff = new BackOff(platform.random);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
      await pause(
        platform,
        backOff.nextDelayMs(error instanceof ProblemError ? error.retryAfterMs : 0),
        signal,
      );
    }
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  if (error instanceof ProblemError) return error.retryable;
  if (!(error instanceof UploadRefusedError)) return false;
  return error.status >= 500 || error.status === 429 || error.status === 408 || PASSING_CODES.has(error.code);
}

function pause({ clock, onWake }: RetryPlatform, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      stopListening();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.schedule(delayMs, end);
    const stopListening = onWake(end);
    signal.addEventListener('abort', end, { once: true });
  });
}
