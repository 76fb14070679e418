import type { JobError } from '../../../protocol/job.ts';

/**
 * What a step ends an execution with where the job is told why: something that a user can do something about. The name
 * is what the state machine sees as the error's type; the message is the job error as JSON, which `fail` reads again.
 */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
  readonly jobError: JobError;

  constructor(jobError: JobError, options?: ErrorOptions) {
    super(JSON.stringify(jobError), options);
    this.jobError = jobError;
  }
}

/**
 * What a step ends an execution with that nobody foresaw: somebody has to look at it. Of the error behind it only the
 * name is told, since messages may quote what is in a file; the step's log has the rest.
 */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';

  constructor(cause: unknown) {
    super(`${cause instanceof Error ? cause.name : typeof cause}: see the log of the step's function`, {
      cause,
    });
  }
}

/** What a step ends an execution with whose time is up. Somebody has to look at it, too: more work than planned for. */
export class StepTimedOut extends Error {
  override readonly name = 'StepTimedOut';
}

/** What a step ends an execution with whose job is not its own any more: nobody is told. */
export class StepStopped extends Error {
  override readonly name = 'StepStopped';
}
