import type { JobError } from '../../../protocol/job.ts';

/**
 * What a step ends an execution with, where the job is told why. The name is what the state machine sees as the
 * error's type; the message is the job error as JSON, which `fail` reads again.
 */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
  readonly jobError: JobError;

  constructor(jobError: JobError, options?: ErrorOptions) {
    super(JSON.stringify(jobError), options);
    this.jobError = jobError;
  }
}

/** What a step ends an execution with whose job is not its own any more: nobody is told. */
export class WorkStopped extends Error {
  override readonly name = 'WorkStopped';
}
