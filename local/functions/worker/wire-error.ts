import type { WireError } from './messages.ts';

/** An error of the runtime itself, with the type that Lambda gives it (`Runtime.HandlerNotFound`, …). */
export class RuntimeError extends Error {
  readonly errorType: string;

  constructor(errorType: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.errorType = errorType;
  }
}

/** Whatever was thrown, in the form in which Lambda reports it. */
export function toWireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  return {
    errorType: thrown instanceof RuntimeError ? thrown.errorType : thrown.name,
    errorMessage: thrown.message,
    // The worker's own script is a data: URL; its frames would bury those of the function.
    trace: (thrown.stack ?? '').split('\n').filter((line) => !line.includes('data:text/javascript')),
  };
}
