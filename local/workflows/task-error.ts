import type { FunctionError } from '../functions/invocation.ts';

/** Payloads of states and executions, in bytes of UTF-8 (aws-facts 5). */
export const PAYLOAD_LIMIT = 262_144;

/**
 * An error with its name in the Amazon States Language. The library reads `name` and `message` as Error and Cause,
 * and the two flags as whether Retry and Catch may match.
 */
export class StateError extends Error {
  override readonly name: string;
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  constructor(name: string, cause: string, { isCatchable }: { readonly isCatchable: boolean }) {
    super(cause);
    this.name = name;
    this.isRetryable = isCatchable;
    this.isCatchable = isCatchable;
  }
}

/** Lambda refused to run the function; Step Functions calls these `Lambda.…` (SFN:bp-lambda-serviceexception). */
const SERVICE_ERRORS: Readonly<Record<string, string>> = {
  TooManyRequestsException: 'Lambda.TooManyRequestsException',
  ServiceException: 'Lambda.ServiceException',
};

/**
 * What Step Functions makes of a failed invocation: the name that Lambda gives the error, and the error as JSON text
 * for its cause. That holds for a function which did not live to say what went wrong, too: `Sandbox.Timedout`,
 * `Runtime.ExitError`, `Runtime.OutOfMemory`. The guide calls these `Lambda.Unknown`, and elsewhere says that newer
 * runtimes are heard by names of their own (SFN:concepts-error-handling); docs/decisions/0022 has the choice.
 */
export function taskErrorOf(error: FunctionError): StateError {
  const refused = SERVICE_ERRORS[error.errorType];
  if (refused !== undefined) return new StateError(refused, error.errorMessage, { isCatchable: true });
  const { errorType, errorMessage, trace } = error;
  return new StateError(errorType, JSON.stringify({ errorType, errorMessage, trace }), { isCatchable: true });
}

/** Whether a JSON value is too large to be passed on. */
export function exceedsLimit(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value) ?? '') > PAYLOAD_LIMIT;
}

/** Neither Retry nor Catch sees it; it ends the execution (aws-facts 5). */
export function dataLimitExceeded(what: string): StateError {
  const sentence = `The ${what} is larger than ${PAYLOAD_LIMIT} bytes.`;
  return new StateError('States.DataLimitExceeded', sentence, { isCatchable: false });
}
