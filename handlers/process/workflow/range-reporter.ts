import type { JobFields, JobRecord, Jobs, RangeDone } from '../../ports.ts';
import type { Plan } from '../csv-profile/plan.ts';
import { messageOf } from '../csv-profile/progress-message.ts';
import type { StepProgress } from '../csv-profile/steps.ts';
import type { Persistence } from '../persistence.ts';
import type { StepRun } from './run-step.ts';
import { reportOf, type Steps } from './step-progress.ts';
import { reportOn, StepReporter } from './step-reporter.ts';

/** The least time between two writes of one range, in milliseconds: five ranges at a time write five times a second. */
const WRITE_EVERY = 1_000;

/** What a `RangeReporter` needs. */
export interface RangeReporterParts extends Persistence {
  readonly jobs: Jobs;
  readonly plan: Plan;
  /** The number of the range, from 0. */
  readonly range: number;
  readonly steps: Steps;
}

/**
 * Writes how far one range is, beside others that do the same: each has its own figures in the job, and whoever writes
 * also writes what all of them come to. Figures of a range never go back, also when it is begun again; so no sum does.
 */
export class RangeReporter {
  readonly #parts: RangeReporterParts;
  readonly #reporter: StepReporter;
  #done: RangeDone = [0, 0];

  constructor(parts: RangeReporterParts, run: StepRun) {
    this.#parts = parts;
    const fieldsOn = (record: JobRecord) => this.#fieldsOn(record);
    this.#reporter = new StepReporter({ ...parts, writeEvery: WRITE_EVERY, fieldsOn }, run);
  }

  /** Safe in a tight loop; never waits. */
  report({ bytes, rows }: StepProgress): void {
    this.#done = [bytes, rows];
    this.#reporter.request();
  }

  /** Stops writing, and waits for the write that is under way. */
  async settle(): Promise<void> {
    await this.#reporter.settle();
  }

  /** Writes the last figures. @throws as `StepReporter`. */
  async finish(): Promise<void> {
    await this.#reporter.finish();
  }

  /** The figures of all ranges as the job has them, with ours, and what they come to. */
  #fieldsOn(record: JobRecord): JobFields | undefined {
    const { plan, range, steps } = this.#parts;
    const ranges = plan.ranges.map((_, index): RangeDone => {
      const [bytes, rows] = record.ranges?.[index] ?? [0, 0];
      if (index !== range) return [bytes, rows];
      return [Math.max(bytes, this.#done[0]), Math.max(rows, this.#done[1])];
    });
    const sum = (figure: 0 | 1) => ranges.reduce((total, done) => total + done[figure], 0);
    const message = messageOf({ rows: sum(1), columns: plan.dialect.width });
    const fields = reportOn(record, { ...reportOf(steps, 'profile', sum(0), bytesOf(plan)), message });
    return fields === undefined ? undefined : { ...fields, ranges };
  }
}

/** The bytes that ranges have: all but those before the first row. */
function bytesOf({ ranges }: Plan): number {
  return ranges.reduce((total, { from, to }) => total + to - from, 0);
}
