import { ChangeRefusedError, JobNotFoundError } from '../../errors.ts';
import { executionNameOf } from '../../execution-name.ts';
import type { JobChange, JobRecord, Jobs, Log, Meter } from '../../ports.ts';
import type { Workspace } from '../../workspace.ts';
import { type Clock, timestampOf } from '../clock.ts';
import { type Persistence, persist } from '../persistence.ts';
import { LAST_TRY_BEFORE_END } from '../time-left.ts';
import { type ExecutionFailure, jobErrorOfFailure } from './execution-failure.ts';
import type { StepRequest } from './step-request.ts';

/** That an execution failed, as its own `Catch` says, or the event of its end. */
export interface FailRequest extends StepRequest {
  readonly failure: ExecutionFailure;
}

/** What `fail` needs. */
export interface FailParts extends Persistence {
  readonly jobs: Jobs;
  readonly workspace: Workspace;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
}

/** How often a job is looked at anew that moved between look and write: `begin` may be at it at the same moment. */
const ATTEMPTS = 3;

/**
 * Ends the job of an execution that failed, if it is its job still, and then removes its files: in this order, so that
 * a step that still runs finds the job ended after whatever it writes, and removes it itself. Repeated, and for a job
 * that ended otherwise, it only removes files. @throws UnavailableError, after which it may be tried again.
 */
export async function failExecution(
  request: FailRequest,
  endsAt: number,
  parts: FailParts,
): Promise<Record<string, never>> {
  const until = endsAt - LAST_TRY_BEFORE_END;
  await endJob(request, until, parts);
  await persist('removing the files', () => parts.workspace.remove(request.execution), until, parts);
  return {};
}

async function endJob(request: FailRequest, until: number, parts: FailParts): Promise<void> {
  const { jobs, clock, log, meter } = parts;
  const { job, execution, failure } = request;
  for (let attempt = 1; ; attempt += 1) {
    const record = await persist('looking at the job', () => jobs.read(job), until, parts);
    const condition = record === undefined ? undefined : conditionFor(record, request);
    if (condition === undefined) return;
    const error = jobErrorOfFailure(failure);
    const write = () =>
      jobs.change(job, {
        ...condition,
        at: timestampOf(clock.now()),
        to: 'failed',
        set: { error },
        clear: ['ranges'],
      });
    try {
      const ended = await persist('ending the job as failed', write, until, parts);
      meter.count('JobsFailed', 1);
      meter.milliseconds('JobDuration', clock.now() - Date.parse(ended.job.startedAt ?? ended.job.updatedAt));
      const fields = { job, execution, code: error.code, failure: failure.error };
      if (error.code === 'processing-failed') log.error('an execution failed', fields);
      else log.info('an execution failed', fields);
      return;
    } catch (refusal) {
      if (refusal instanceof JobNotFoundError) return;
      if (!(refusal instanceof ChangeRefusedError) || attempt === ATTEMPTS) throw refusal;
    }
  }
}

/**
 * On what condition the job is to fail; undefined where it is not the execution's to end. A job that is still queued
 * is: there is no other execution of that name, and there will be none.
 */
function conditionFor(
  { job, execution }: JobRecord,
  request: FailRequest,
): Pick<JobChange, 'epoch' | 'execution' | 'seq' | 'within'> | undefined {
  if (job.epoch !== request.epoch) return undefined;
  if (job.status === 'running' && execution?.id === request.execution)
    return { within: ['running'], epoch: job.epoch, execution: request.execution };
  const isItsOnly = executionNameOf({ job: job.id, epoch: job.epoch }) === request.execution;
  if (job.status === 'queued' && isItsOnly) return { within: ['queued'], epoch: job.epoch, seq: job.seq };
  return undefined;
}
