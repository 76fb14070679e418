import { ChangeRefusedError } from '../../errors.ts';
import type { JobFields, JobRecord, Jobs } from '../../ports.ts';
import { timestampOf } from '../clock.ts';
import { PacedWrites, stopReasonOf } from '../paced-writes.ts';
import { type Persistence, persist } from '../persistence.ts';
import { mergeReport } from '../progress-merge.ts';
import { aliveExecution } from '../progress-reporter.ts';
import type { Report } from '../report.ts';
import type { StepRun } from './run-step.ts';

/** How often a write is tried at once that another one was quicker than. Of ten that write at once each gets its turn. */
const ATTEMPTS = 25;

/** So long the last figures are tried, in milliseconds; the next write of any step says the rest. */
const FINISH_FOR = 5_000;

/** What a `StepReporter` needs. */
export interface StepReporterParts extends Persistence {
  readonly jobs: Jobs;
  /** The least time between two writes, in milliseconds. */
  readonly writeEvery: number;
  /** What is to be written into the job as it stands; undefined where that says more already. */
  readonly fieldsOn: (record: JobRecord) => JobFields | undefined;
}

/**
 * Writes how far a step is, beside others that do the same: other ranges, and the same step, where it was begun
 * again while it still runs. What is written is made of the job as it stands, and insists on that `seq`, so that no
 * figures are lost and no sum goes back:
 *
 *     range 0   knows seq 7 |----------------|--sum of 0 and 1, on seq 8--|
 *     range 1   knows seq 7 |--sum, on seq 7: seq 8--|
 *       range 0's first try, on seq 7, is refused, and the refusal brings the job as it stands
 */
export class StepReporter {
  readonly #parts: StepReporterParts;
  readonly #execution: string;
  readonly #signal: AbortSignal;
  readonly #stop: StepRun['stop'];
  readonly #writes: PacedWrites;
  #known: JobRecord;

  constructor(parts: StepReporterParts, run: StepRun) {
    this.#parts = parts;
    this.#known = run.record;
    this.#execution = run.execution;
    this.#signal = run.signal;
    this.#stop = run.stop;
    this.#writes = new PacedWrites({ ...parts, ...run, write: (_, now) => this.#write(now) });
  }

  /** There is something new to say. Safe in a tight loop; never waits. */
  request(): void {
    this.#writes.request();
  }

  /** Stops writing, waits for the write that is under way, and answers the job as it is known to stand. */
  async settle(): Promise<JobRecord> {
    await this.#writes.settle();
    return this.#known;
  }

  /**
   * Writes what is newest. Where that cannot be done, the work goes on without. @throws WorkStoppedError where the job is
   * not the execution's any more; the signal's reason.
   */
  async finish(): Promise<void> {
    await this.settle();
    const { clock, log } = this.#parts;
    const write = () => this.#write(clock.now());
    try {
      const until = clock.now() + FINISH_FOR;
      await persist('writing the end of a step', write, until, this.#parts, this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      const reason = stopReasonOf(error);
      if (reason !== undefined) {
        this.#stop(reason);
        throw reason;
      }
      log.warn('the end of a step could not be written', { job: this.#known.job.id, error });
    }
  }

  async #write(now: number): Promise<void> {
    const { jobs, fieldsOn } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      const { id, epoch, seq } = this.#known.job;
      try {
        this.#known = await jobs.change(id, {
          at: timestampOf(now),
          within: ['running'],
          epoch,
          execution: this.#execution,
          seq,
          set: { ...fieldsOn(this.#known), execution: aliveExecution(this.#execution, now) },
        });
        return;
      } catch (error) {
        const isLate = error instanceof ChangeRefusedError && error.reason === 'seq';
        if (!isLate || attempt === ATTEMPTS) throw error;
        this.#known = error.current;
      }
    }
  }
}

/** The fields of a report on a job; undefined where the job is in a later step already. */
export function reportOn({ job, uploadShare }: JobRecord, report: Report): JobFields | undefined {
  if ((job.step?.index ?? 0) > (report.step?.index ?? 0) && job.step?.count === report.step?.count)
    return undefined;
  const before = job.progress === undefined ? {} : { progress: job.progress };
  return mergeReport(before, report, uploadShare);
}
