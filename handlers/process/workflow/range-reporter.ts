import { ChangeRefusedError } from '../../errors.ts';
import type { JobRecord, RangeDone } from '../../ports.ts';
import { timestampOf } from '../clock.ts';
import type { Plan } from '../csv-profile/plan.ts';
import { messageOf } from '../csv-profile/progress-message.ts';
import type { StepProgress } from '../csv-profile/steps.ts';
import { PacedWrites } from '../paced-writes.ts';
import { type Persistence, persist } from '../persistence.ts';
import { mergeReport } from '../progress-merge.ts';
import { aliveExecution } from '../progress-reporter.ts';
import type { StepParts, StepRun } from './run-step.ts';
import { reportOf, type Steps } from './step-progress.ts';

/** The least time between two writes of one range, in milliseconds: ten ranges at a time write ten times a second. */
const WRITE_EVERY = 1_000;

/** How often a write is tried at once that another range was quicker than; ten of them write ten times a second. */
const ATTEMPTS = 8;

/** So long the last figures are tried, in milliseconds; the next write of any range says the rest. */
const FINISH_FOR = 5_000;

/** What a `RangeReporter` needs. */
export interface RangeReporterParts extends Persistence {
  readonly jobs: StepParts['jobs'];
  readonly plan: Plan;
  /** The number of the range, from 0. */
  readonly range: number;
  readonly steps: Steps;
}

/**
 * Writes how far one range is, beside others that do the same: each has its own figures in the job, and whoever writes
 * also writes what all of them come to. A write insists on the `seq` that its sum was made of, so none is lost.
 *
 *     range 0   reads seq 7 |----------------|--sum of 0 and 1, on seq 8--|
 *     range 1   reads seq 7 |--sum, on seq 7: seq 8--|
 *       range 0's first try, on seq 7, is refused, and the refusal brings the job as it stands
 *
 * Figures of a range never go back, also when it is begun again; so no sum does.
 */
export class RangeReporter {
  readonly #parts: RangeReporterParts;
  readonly #execution: string;
  readonly #signal: AbortSignal;
  readonly #writes: PacedWrites;
  #known: JobRecord;
  #done: RangeDone = [0, 0];

  constructor(parts: RangeReporterParts, run: StepRun) {
    this.#parts = parts;
    this.#known = run.record;
    this.#execution = run.execution;
    this.#signal = run.signal;
    this.#writes = new PacedWrites({
      ...parts,
      ...run,
      writeEvery: WRITE_EVERY,
      write: (_, now) => this.#write(now),
    });
  }

  /** Safe in a tight loop; never waits. */
  report({ bytes, rows }: StepProgress): void {
    this.#done = [bytes, rows];
    this.#writes.request();
  }

  /** Stops writing, and waits for the write that is under way. */
  async settle(): Promise<void> {
    await this.#writes.settle();
  }

  /** Writes the last figures. Where that cannot be done, the work goes on without. @throws the signal's reason. */
  async finish(): Promise<void> {
    await this.settle();
    const { clock, log } = this.#parts;
    const write = () => this.#write(clock.now());
    try {
      const until = clock.now() + FINISH_FOR;
      await persist('writing the end of a range', write, until, this.#parts, this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      log.warn('the end of a range could not be written', { job: this.#known.job.id, error });
    }
  }

  async #write(now: number): Promise<void> {
    const { jobs } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      const { id, epoch, seq } = this.#known.job;
      try {
        this.#known = await jobs.change(id, {
          at: timestampOf(now),
          within: ['running'],
          epoch,
          execution: this.#execution,
          seq,
          set: { ...this.#fields(), execution: aliveExecution(this.#execution, now) },
        });
        return;
      } catch (error) {
        if (!(error instanceof ChangeRefusedError) || error.reason !== 'seq' || attempt === ATTEMPTS)
          throw error;
        this.#known = error.current;
      }
    }
  }

  /** The figures of all ranges as they are known, with ours, and what they come to. */
  #fields() {
    const { plan, range, steps } = this.#parts;
    const { job, ranges: known, uploadShare } = this.#known;
    const ranges = plan.ranges.map((_, index): RangeDone => {
      const [bytes, rows] = known?.[index] ?? [0, 0];
      if (index !== range) return [bytes, rows];
      return [Math.max(bytes, this.#done[0]), Math.max(rows, this.#done[1])];
    });
    const sum = (figure: 0 | 1) => ranges.reduce((total, done) => total + done[figure], 0);
    const message = messageOf({ rows: sum(1), columns: plan.dialect.width });
    const report = { ...reportOf(steps, 'profile', sum(0), bytesOf(plan)), message };
    const before = job.progress === undefined ? {} : { progress: job.progress };
    return { ...mergeReport(before, report, uploadShare), ranges };
  }
}

/** The bytes that ranges read: all but those before the first row. */
function bytesOf({ ranges }: Plan): number {
  return ranges.reduce((total, { from, to }) => total + to - from, 0);
}
