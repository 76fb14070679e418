import type { Clock } from '../clock.ts';
import type { InvocationOutcome, InvokableFunction } from '../functions/invocation.ts';

/** How a call of an integration ended: as the function ended, or without it because the time was up. */
export type IntegrationOutcome = InvocationOutcome | { readonly kind: 'timed-out' };

/**
 * Invokes a function and waits no longer than `timeoutMs`. A function that is slower goes on running, as it
 * does on AWS: only its result is lost. Never rejects: a port that rejects against its contract counts as a
 * failed function, for no request may end the process.
 */
export function invokeWithin(
  invokable: InvokableFunction,
  event: unknown,
  timeoutMs: number,
  clock: Clock,
): Promise<IntegrationOutcome> {
  return new Promise((resolve) => {
    const timer = clock.schedule(timeoutMs, () => resolve({ kind: 'timed-out' }));
    const settle = (outcome: IntegrationOutcome): void => {
      timer.cancel();
      resolve(outcome);
    };
    // In an async function, so that a throw that comes at once is a rejection too.
    const invocation = (async () => invokable.invoke(event))();
    invocation.then(settle, (cause: unknown) => {
      settle({
        kind: 'failed',
        requestId: '',
        error: { errorType: 'Runtime.Unknown', errorMessage: String(cause), trace: [] },
      });
    });
  });
}

/** One line for the log about an outcome that is not a result. */
export function describeFailure(
  invokable: InvokableFunction,
  outcome: Exclude<IntegrationOutcome, { kind: 'returned' }>,
): string {
  if (outcome.kind === 'timed-out') return `${invokable.name} did not answer within the integration time-out`;
  return `${invokable.name} failed: ${outcome.error.errorType}: ${outcome.error.errorMessage}`;
}
