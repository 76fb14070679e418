import type { InvocationOutcome } from '../functions/invocation.ts';

/** Errors of the Lambda service itself; an event source mapping retries them without counting. */
const SERVICE_ERRORS: ReadonlySet<string> = new Set(['TooManyRequestsException', 'ServiceException']);

/** Whether Lambda refused to run the function, rather than the function failed. */
export function wasRefused(outcome: InvocationOutcome): boolean {
  return outcome.kind === 'failed' && SERVICE_ERRORS.has(outcome.error.errorType);
}
