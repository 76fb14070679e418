/**
 * Why work ends before it is done. `cancelled`: the job is `cancelled`, or otherwise terminal. `lost`: another
 * execution took the job over. `gone`: the job does not exist any more. `time-limit`: the function's time is up.
 */
export type StopReason = 'cancelled' | 'lost' | 'gone' | 'time-limit';

/** The reason that a processor's AbortSignal is aborted with. */
export class WorkStoppedError extends Error {
  override readonly name = 'WorkStoppedError';
  readonly reason: StopReason;
  constructor(reason: StopReason, options?: ErrorOptions) {
    super(`The work has to stop: ${reason}`, options);
    this.reason = reason;
  }
}
