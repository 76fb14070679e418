import type { JobError } from '../../protocol/job.ts';
import { isKind, type Kind } from '../../protocol/kinds.ts';
import { ChangeRefusedError, JobNotFoundError, UnavailableError } from '../errors.ts';
import type { JobFields, JobRecord, Jobs, Log, Meter, Queue, Results, Uploads } from '../ports.ts';
import type { Deadline, Work } from '../queue-messages.ts';
import { claim } from './claim.ts';
import { type Clock, timestampOf } from './clock.ts';
import { sendExecutionDeadline } from './execution-deadline.ts';
import { jobErrorOf, TIME_LIMIT_ERROR, UNKNOWN_KIND_ERROR } from './job-failure.ts';
import { persist } from './persistence.ts';
import type { Processor } from './processor.ts';
import type { ReportedFields } from './progress-merge.ts';
import { JobReporter } from './progress-reporter.ts';
import { runProcessor } from './run-processor.ts';
import { successFields } from './stored-result.ts';
import { GIVE_UP_BEFORE_END, STOP_BEFORE_END } from './time-left.ts';
import { WorkStoppedError } from './work-stopped.ts';

/**
 * So long the claim is tried. A message that is kept comes again after the queue's 930 s only, which its watchers
 * would notice more than a function that waits through the minute or two of a throttled table. Milliseconds.
 */
const CLAIM_FOR = 120_000;

/** What `runJob` needs. */
export interface RunJobParts {
  readonly jobs: Jobs;
  readonly uploads: Uploads;
  readonly results: Results;
  readonly deadlines: Queue<Deadline>;
  readonly processors: Readonly<Record<Kind, Processor>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** An id that no other run ever has. */
  readonly newExecution: () => string;
  /** From 0 to 1, for back-off. */
  readonly random: () => number;
}

/**
 * Works on the job of one message. Answers whether the message is `done` with, or must be `keep`t for another
 * delivery. `endsAt` is when the function is stopped by Lambda, in milliseconds since the epoch. Never throws.
 */
export async function runJob(work: Work, endsAt: number, parts: RunJobParts): Promise<'done' | 'keep'> {
  const { clock, log } = parts;
  const execution = parts.newExecution();
  try {
    const claimed = await persist(
      'claiming the job',
      () => claim(work, execution, parts),
      Math.min(clock.now() + CLAIM_FOR, endsAt - STOP_BEFORE_END),
      parts,
    );
    if (claimed.kind !== 'claimed') return claimed.kind === 'keep' ? 'keep' : 'done';
    return await new Run(claimed.record, execution, endsAt, parts).run();
  } catch (error) {
    if (error instanceof UnavailableError)
      log.warn('the job is left for another delivery', { job: work.job, error });
    else log.error('the job is left for another delivery: something unforeseen', { job: work.job, error });
    return 'keep';
  }
}

/** How a run ends: by a last write, or without one. */
type Ending =
  | { readonly to: 'succeeded' | 'failed'; readonly set: JobFields }
  | { readonly answer: 'done' | 'keep' };

/** One execution on one job that it has claimed. */
class Run {
  readonly #record: JobRecord;
  readonly #execution: string;
  readonly #endsAt: number;
  readonly #parts: RunJobParts;
  readonly #abort = new AbortController();

  constructor(record: JobRecord, execution: string, endsAt: number, parts: RunJobParts) {
    this.#record = record;
    this.#execution = execution;
    this.#endsAt = endsAt;
    this.#parts = parts;
  }

  async run(): Promise<'done' | 'keep'> {
    const { jobs, clock, log, meter } = this.#parts;
    const startedAt = clock.now();
    const timeLimit = clock.schedule(Math.max(0, this.#endsAt - STOP_BEFORE_END - startedAt), () =>
      this.#abort.abort(new WorkStoppedError('time-limit')),
    );
    const reporter = new JobReporter({
      jobs,
      record: this.#record,
      execution: this.#execution,
      clock,
      log,
      stop: (reason) => this.#abort.abort(reason),
    });
    try {
      const { id: job, epoch, kind } = this.#record.job;
      const until = this.#endsAt - STOP_BEFORE_END;
      await sendExecutionDeadline({ job, epoch }, this.#execution, until, this.#parts, this.#abort.signal);
      const processor = isKind(kind) ? this.#parts.processors[kind] : undefined;
      const ending =
        processor === undefined
          ? ({ to: 'failed', set: { error: UNKNOWN_KIND_ERROR } } as const)
          : await this.#work(processor, reporter);
      timeLimit.cancel(); // from here on the job has its ending, and all the time that is left to write it
      await reporter.settle();
      return 'answer' in ending ? ending.answer : await this.#end(ending.to, ending.set);
    } finally {
      timeLimit.cancel();
      await reporter.settle();
      meter.milliseconds('JobDuration', clock.now() - startedAt);
    }
  }

  /** Works; answers how the job ends. @throws UnavailableError when the upload or the result cannot be reached. */
  async #work(processor: Processor, reporter: JobReporter): Promise<Ending> {
    const { uploads, results } = this.#parts;
    const { signal } = this.#abort;
    try {
      const open = () => uploads.open(this.#record, signal);
      const body = await persist(
        'opening the upload',
        open,
        this.#endsAt - STOP_BEFORE_END,
        this.#parts,
        signal,
      );
      const result = await runProcessor(processor, this.#record, body, reporter, signal);
      const write = () => results.write(this.#record, result.bytes, result.contentType);
      await persist('writing the result', write, this.#endsAt - GIVE_UP_BEFORE_END, this.#parts, signal);
      const fields = await reporter.settle();
      signal.throwIfAborted();
      return { to: 'succeeded', set: successFields(this.#record, fields, result) };
    } catch (error) {
      const fields = await reporter.settle();
      if (signal.aborted) return this.#stopped(signal.reason, fields);
      if (error instanceof UnavailableError) throw error; // the message stays: another execution takes over
      return { to: 'failed', set: { ...fields, error: this.#noted(error) } };
    }
  }

  #stopped(reason: unknown, fields: ReportedFields): Ending {
    const why = reason instanceof WorkStoppedError ? reason.reason : undefined;
    this.#parts.log.info('the work was stopped', { job: this.#record.job.id, reason: why });
    if (why === 'time-limit') return { to: 'failed', set: { ...fields, error: TIME_LIMIT_ERROR } };
    // Another execution has the job, and may need the message if it dies.
    return { answer: why === 'lost' ? 'keep' : 'done' };
  }

  #noted(error: unknown): JobError {
    const { log } = this.#parts;
    const jobError = jobErrorOf(error);
    const fields = { job: this.#record.job.id, error };
    if (jobError.code === 'processing-failed') log.error('the processor failed', fields);
    else log.info('the job failed', fields);
    return jobError;
  }

  /** The write that must not get lost: tried until the function ends, then left to the next delivery. */
  async #end(to: 'succeeded' | 'failed', set: JobFields): Promise<'done' | 'keep'> {
    const { jobs, clock, log, meter } = this.#parts;
    const { id, epoch } = this.#record.job;
    const write = () =>
      jobs.change(id, { at: timestampOf(clock.now()), to, epoch, execution: this.#execution, set });
    try {
      await persist(`ending the job as ${to}`, write, this.#endsAt - GIVE_UP_BEFORE_END, this.#parts);
      meter.count(to === 'succeeded' ? 'JobsSucceeded' : 'JobsFailed', 1);
      return 'done';
    } catch (error) {
      if (error instanceof JobNotFoundError) return 'done';
      if (!(error instanceof ChangeRefusedError)) throw error;
      log.info('the job had ended otherwise', { job: id, status: error.current.job.status });
      return error.reason === 'execution' ? 'keep' : 'done';
    }
  }
}
