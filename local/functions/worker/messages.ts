/** What travels between the main thread and the thread of one execution environment. */

/** Passed to the worker when it starts. */
export interface WorkerSettings {
  /** Absolute path of the directory that holds the deployed code (`LAMBDA_TASK_ROOT`). */
  readonly taskRoot: string;
  /** As in the template, for example `index.handler`. */
  readonly handler: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
  /**
   * One counter, raised by the main thread before every invocation. The worker sleeps on it between two
   * invocations: that is the freeze of Lambda.
   */
  readonly thaw: SharedArrayBuffer;
}

/** From the main thread: run the handler with this event. */
export interface InvokeMessage {
  readonly kind: 'invoke';
  readonly requestId: string;
  readonly eventJson: string;
  readonly timeoutMs: number;
}

/** An error as Lambda reports it. */
export interface WireError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** From the worker. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'init-failed'; readonly error: WireError }
  | { readonly kind: 'output'; readonly text: string }
  | {
      readonly kind: 'returned';
      readonly payloadJson: string;
      readonly memoryMb: number;
      /** Resources that would still keep the event loop alive, by type: work that was not awaited. */
      readonly pending: readonly string[];
    }
  | {
      readonly kind: 'threw';
      readonly error: WireError;
      readonly memoryMb: number;
      readonly pending: readonly string[];
    }
  /** The runtime is gone: an uncaught exception, an unhandled rejection, an event loop that ran empty. */
  | { readonly kind: 'crashed'; readonly error: WireError };
