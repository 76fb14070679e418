import type { Clock } from '../clock.ts';

/** Waits `delayMs` by `clock`; ends early, without an error, when `signal` is aborted. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.schedule(delayMs, end);
    signal.addEventListener('abort', end);
  });
}

/**
 * The wait before retry number `retry` (from 1), in milliseconds: 100, 200, 400 … at most `maximumMs`. AWS
 * documents that event source mappings back off exponentially, and no figures.
 */
export function backOffMs(retry: number, maximumMs = 10_000): number {
  return Math.min(100 * 2 ** (retry - 1), maximumMs);
}
