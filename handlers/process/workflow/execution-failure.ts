import * as v from 'valibot';
import { type JobError, JobErrorSchema } from '../../../protocol/job.ts';
import { LOST_ERROR, PROCESSING_FAILED } from '../job-failure.ts';

/** What a state machine says of a failure: the name of an error, and its cause, which may be JSON. */
export interface ExecutionFailure {
  readonly error: string;
  readonly cause?: string;
}

/** The job error of a job whose execution, or a step of it, ran out of time (infrastructure/workflow.ts has the times). */
export const WORKFLOW_TIME_LIMIT_ERROR: JobError = {
  code: 'time-limit',
  title: 'The work took longer than is allowed here',
  detail: 'A step of the work may take 15 minutes, and all of it 12 hours. Try a smaller file.',
  retryable: false,
};

/** What a step, the state machine, and Lambda for it, call the end of the time that something had (aws-facts 5). */
const TIME_OUTS: ReadonlySet<string> = new Set([
  'StepTimedOut',
  'States.Timeout',
  'States.HeartbeatTimeout',
  'Sandbox.Timedout',
]);

/**
 * The names under which work breaks off that may well succeed another time: Lambda could not run a function, or the
 * function died in the middle; a service was away for long; somebody stopped the execution.
 */
const BROKE_OFF = /^(Lambda\.|Runtime\.|Sandbox\.|UnavailableError$|StepStopped$|ABORTED$)/;

/**
 * What a job says of the failure of its execution: what a step said on purpose, word for word; everything else in
 * words of ours, since it may quote what is none of the watchers' business.
 */
export function jobErrorOfFailure({ error, cause }: ExecutionFailure): JobError {
  if (error === 'JobFailed') return saidBy(cause) ?? PROCESSING_FAILED;
  if (TIME_OUTS.has(error)) return WORKFLOW_TIME_LIMIT_ERROR;
  return BROKE_OFF.test(error) ? LOST_ERROR : PROCESSING_FAILED;
}

const Json = v.pipe(v.string(), v.parseJson());

/** Lambda writes an error that a function threw as `{ errorType, errorMessage, trace }` (LDG:nodejs-exceptions). */
const ThrownSchema = v.pipe(Json, v.object({ errorMessage: v.string() }));
const SaidSchema = v.pipe(Json, JobErrorSchema);

function saidBy(cause: string | undefined): JobError | undefined {
  const thrown = v.safeParse(ThrownSchema, cause);
  const said = v.safeParse(SaidSchema, thrown.success ? thrown.output.errorMessage : cause);
  return said.success ? said.output : undefined;
}
