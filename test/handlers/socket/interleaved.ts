import type fc from 'fast-check';

/**
 * A step that takes effect at a moment that the scheduler chooses, and is heard of at another. (fast-check's own
 * `scheduleFunction` lets it take effect at once and delays only the answer.)
 */
export function interleaved<Arguments extends unknown[], Result>(
  scheduler: fc.Scheduler,
  step: (...args: Arguments) => Promise<Result>,
): (...args: Arguments) => Promise<Result> {
  return async (...args) => {
    await scheduler.schedule(Promise.resolve());
    return await scheduler.schedule(step(...args));
  };
}
