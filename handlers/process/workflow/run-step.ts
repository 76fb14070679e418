import { UnavailableError } from '../../errors.ts';
import type { JobRecord, Jobs, Log } from '../../ports.ts';
import type { Workspace } from '../../workspace.ts';
import type { Clock } from '../clock.ts';
import { jobErrorOf, PROCESSING_FAILED } from '../job-failure.ts';
import { stopReasonFor } from '../paced-writes.ts';
import { type Persistence, persist } from '../persistence.ts';
import { STOP_BEFORE_END } from '../time-left.ts';
import { WorkStoppedError } from '../work-stopped.ts';
import { JobFailed, StepFailed, StepStopped, StepTimedOut } from './step-errors.ts';
import type { StepRequest } from './step-request.ts';

/** So long a step tries to reach the table, in milliseconds; then the state machine tries the step again. */
const LOOK_FOR = 30_000;

/** What every step that works on the payload needs. */
export interface StepParts extends Persistence {
  readonly jobs: Jobs;
  readonly workspace: Workspace;
  readonly clock: Clock;
  readonly log: Log;
}

/** One invocation of a step, on a job that is its execution's. */
export interface StepRun {
  readonly record: JobRecord;
  readonly execution: string;
  /** Aborted when the work is pointless, with a WorkStoppedError. */
  readonly signal: AbortSignal;
  readonly stop: (reason: WorkStoppedError) => void;
  /** Repeats what a service cannot do now, as long as the step may run. @throws as `persist`. */
  readonly persist: <Result>(what: string, action: () => Promise<Result>) => Promise<Result>;
}

/**
 * Runs one step: looks whether the job is its execution's, works, and looks again; so what is written after the job
 * ended is found by whoever wrote it, and removed. Steps may be repeated at any time, also while they run. `endsAt` is
 * when the function is stopped by Lambda, in milliseconds since the epoch.
 * @throws JobFailed with what the job is told; StepStopped when the job is not ours any more, its files then being
 *   removed; UnavailableError, after which the step may be tried again; StepTimedOut, StepFailed.
 */
export async function runStep<Answer>(
  request: StepRequest,
  endsAt: number,
  parts: StepParts,
  work: (run: StepRun) => Promise<Answer>,
): Promise<Answer> {
  const { clock } = parts;
  const abort = new AbortController();
  const until = endsAt - STOP_BEFORE_END;
  const timeLimit = clock.schedule(Math.max(0, until - clock.now()), () =>
    abort.abort(new WorkStoppedError('time-limit')),
  );
  const { signal } = abort;
  try {
    const record = await ownJob(request, until, parts, signal);
    const answer = await work({
      record,
      execution: request.execution,
      signal,
      stop: (reason) => abort.abort(reason),
      persist: (what, action) => persist(what, action, until, parts, signal),
    });
    await ownJob(request, until, parts, signal);
    return answer;
  } catch (error) {
    throw await thrownFor(signal.aborted ? signal.reason : error, request, until, parts);
  } finally {
    timeLimit.cancel();
  }
}

/** The job as it stands. @throws WorkStoppedError when it is not the execution's; UnavailableError. */
async function ownJob(
  { job, epoch, execution }: StepRequest,
  until: number,
  parts: StepParts,
  signal?: AbortSignal,
): Promise<JobRecord> {
  const look = () => parts.jobs.read(job);
  const record = await persist(
    'looking at the job',
    look,
    Math.min(parts.clock.now() + LOOK_FOR, until),
    parts,
    signal,
  );
  const reason = stopReasonFor(record, epoch, execution);
  if (record === undefined || reason !== undefined) throw reason ?? new WorkStoppedError('gone');
  return record;
}

/** What the state machine is told of an error. */
async function thrownFor(
  error: unknown,
  request: StepRequest,
  until: number,
  parts: StepParts,
): Promise<JobFailed | StepFailed | StepTimedOut | StepStopped | UnavailableError> {
  const { log } = parts;
  const fields = { job: request.job, execution: request.execution, error };
  if (error instanceof WorkStoppedError) {
    const stopped = { ...fields, reason: error.reason };
    if (error.reason === 'time-limit') {
      log.error('the step ran out of time', stopped);
      return new StepTimedOut(error.message, { cause: error });
    }
    log.info('the work was stopped', stopped);
    await removeFiles(request, parts);
    return new StepStopped(error.message, { cause: error });
  }
  if (error instanceof UnavailableError) {
    log.warn('the step is left for another attempt', fields);
    return error;
  }
  // Where somebody has removed the files of a job that ended, that is why the step failed.
  const reason = await ownJob(request, until, parts).then(
    () => undefined,
    (looked: unknown) => looked,
  );
  if (reason instanceof WorkStoppedError) return thrownFor(reason, request, until, parts);
  const jobError = jobErrorOf(error);
  if (jobError === PROCESSING_FAILED) {
    log.error('the step failed', fields);
    return new StepFailed(error);
  }
  log.info('the job failed', fields);
  return new JobFailed(jobError, { cause: error });
}

/** Once; `fail` does it again, or whoever removes what was abandoned. */
async function removeFiles({ job, execution }: StepRequest, { workspace, log }: StepParts): Promise<void> {
  try {
    await workspace.remove(execution);
  } catch (error) {
    log.warn('files of an execution that was stopped are left for later', { job, execution, error });
  }
}
