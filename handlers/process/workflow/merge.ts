import { ChangeRefusedError, JobNotFoundError } from '../../errors.ts';
import type { JobFields, JobRecord, Meter, Results } from '../../ports.ts';
import { timestampOf } from '../clock.ts';
import { mergeProfiles } from '../csv-profile/steps.ts';
import { persist } from '../persistence.ts';
import { storedResult, successFields } from '../stored-result.ts';
import { LAST_TRY_BEFORE_END } from '../time-left.ts';
import { readPlan } from './read-plan.ts';
import { runStep, type StepParts, type StepRun } from './run-step.ts';
import { StepStopped } from './step-errors.ts';
import type { Steps } from './step-progress.ts';
import { rangeFileOf, type StepRequest } from './step-request.ts';
import { WholeReporter } from './whole-reporter.ts';

/** What `merge` needs. */
export interface MergeParts extends StepParts {
  readonly results: Pick<Results, 'write'>;
  readonly steps: Steps;
  readonly meter: Meter;
}

/**
 * The last step: merges what the ranges came to, writes the result, ends the job as `succeeded` and removes the files.
 * Repeated after that, it finds the job ended by its own execution and only removes files.
 * @throws as `runStep`.
 */
export async function mergeRanges(
  request: StepRequest,
  endsAt: number,
  parts: MergeParts,
): Promise<Record<string, never>> {
  const until = endsAt - LAST_TRY_BEFORE_END;
  try {
    const { record, set } = await runStep(request, endsAt, parts, (run) => merge(run, parts));
    await succeed(record, set, request, until, parts);
  } catch (error) {
    if (!(error instanceof StepStopped) || !(await hasSucceeded(request, until, parts))) throw error;
  }
  const remove = () => parts.workspace.remove(request.execution);
  await persist('removing the files', remove, until, parts);
  return {};
}

/** Writes the result. Answers what the job then says. */
async function merge(
  run: StepRun,
  parts: MergeParts,
): Promise<{ readonly record: JobRecord; readonly set: JobFields }> {
  const { record, signal } = run;
  const { job } = record;
  const plan = await readPlan(run, parts);
  const { size } = plan;
  const reporter = new WholeReporter(parts, run, { steps: parts.steps, name: 'merge', size });
  async function* partials(): AsyncGenerator<Uint8Array> {
    for (const [index, { from }] of plan.ranges.entries()) {
      reporter.report(from);
      const read = () => parts.workspace.read(run.execution, rangeFileOf(index));
      yield await run.persist('reading the profile of a range', read);
      signal.throwIfAborted();
    }
    reporter.report(size);
  }
  try {
    const result = storedResult(await mergeProfiles(plan, partials(), job.input?.fileName ?? job.id));
    const write = () => parts.results.write(record, result.bytes, result.contentType);
    await run.persist('writing the result', write);
    return { record, set: successFields(record, await reporter.settle(), result) };
  } finally {
    await reporter.settle();
  }
}

async function succeed(
  { job }: JobRecord,
  set: JobFields,
  { epoch, execution }: StepRequest,
  until: number,
  parts: MergeParts,
): Promise<void> {
  const { jobs, clock, meter } = parts;
  const write = () =>
    jobs.change(job.id, {
      at: timestampOf(clock.now()),
      to: 'succeeded',
      epoch,
      execution,
      set,
      clear: ['ranges'],
    });
  try {
    const ended = await persist('ending the job as succeeded', write, until, parts);
    meter.count('JobsSucceeded', 1);
    meter.milliseconds('JobDuration', clock.now() - Date.parse(ended.job.startedAt ?? ended.job.updatedAt));
  } catch (error) {
    if (error instanceof JobNotFoundError || error instanceof ChangeRefusedError)
      throw new StepStopped('The job has ended otherwise', { cause: error });
    throw error;
  }
}

async function hasSucceeded(
  { job, epoch, execution }: StepRequest,
  until: number,
  parts: MergeParts,
): Promise<boolean> {
  const record = await persist('looking at the job', () => parts.jobs.read(job), until, parts);
  return (
    record?.job.status === 'succeeded' && record.job.epoch === epoch && record.execution?.id === execution
  );
}
