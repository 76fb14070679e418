/** What the rest of the runtime sees of a Lambda function of the template. */
export interface InvokableFunction {
  /** The physical function name, as in `AWS_LAMBDA_FUNCTION_NAME`. */
  readonly name: string;
  /** The function's ARN. */
  readonly arn: string;
  /**
   * Invokes the function and waits for its end (RequestResponse). Never rejects: what goes wrong in the
   * function is an outcome. `event` must survive JSON; the function sees a copy.
   */
  invoke(event: unknown): Promise<InvocationOutcome>;
}

/** How one invocation ended. */
export type InvocationOutcome =
  | { readonly kind: 'returned'; readonly requestId: string; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly requestId: string; readonly error: FunctionError };

/**
 * A function error ("Unhandled"): thrown by the handler, or by the runtime on its behalf
 * (`Sandbox.Timedout`, `Runtime.ExitError`, `Runtime.OutOfMemory`).
 */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}
