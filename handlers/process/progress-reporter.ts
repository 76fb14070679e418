import type { Execution, JobRecord, Jobs, Log } from '../ports.ts';
import { type Clock, timestampOf } from './clock.ts';
import { PacedWrites } from './paced-writes.ts';
import { mergeReport, type ReportedFields } from './progress-merge.ts';
import type { ProgressReporter, Report } from './report.ts';
import type { WorkStoppedError } from './work-stopped.ts';

/**
 * The least time between two writes of progress: ten a second. Faster than people see (below 100 ms a change
 * counts as immediate: Nielsen, "Response Times"), far below the 1,000 writes a second of a DynamoDB partition,
 * and at $0.625 a million (aws-facts 7) an hour of work that never stops reporting costs 2.3 cents for each KB of
 * the job's item, mostly one or two; no index holds what a report changes (infrastructure/jobs-table.ts).
 */
export const WRITE_EVERY = 100;

/** How long an execution counts as alive after each write. */
const ALIVE_FOR = 60_000;

/** What an execution promises at `now`: to be heard from within the minute. */
export function aliveExecution(id: string, now: number): Execution {
  return { id, aliveUntil: timestampOf(now + ALIVE_FOR) };
}

/** What a `JobReporter` needs. */
export interface JobReporterParts {
  readonly jobs: Jobs;
  /** The job as the claim left it; its fraction is the floor, also after a take-over. */
  readonly record: JobRecord;
  readonly execution: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once when the work has lost its point. */
  readonly stop: (reason: WorkStoppedError) => void;
}

/** Writes what a processor reports into the job, at the pace of `PacedWrites`. */
export class JobReporter implements ProgressReporter {
  readonly #parts: JobReporterParts;
  readonly #writes: PacedWrites;
  #fields: ReportedFields;

  constructor(parts: JobReporterParts) {
    this.#parts = parts;
    const { progress, step, message } = parts.record.job;
    this.#fields = {
      ...(progress === undefined ? {} : { progress }),
      ...(step === undefined ? {} : { step }),
      ...(message === undefined ? {} : { message }),
    };
    this.#writes = new PacedWrites({
      ...parts,
      writeEvery: WRITE_EVERY,
      write: (reported, now) => this.#write(reported, now),
    });
  }

  report(report: Report): void {
    this.#fields = mergeReport(this.#fields, report, this.#parts.record.uploadShare);
    this.#writes.request();
  }

  /**
   * Stops writing, waits for the write that is under way, and answers the newest fields: the last report goes
   * into the write that ends the job.
   */
  async settle(): Promise<ReportedFields> {
    await this.#writes.settle();
    return this.#fields;
  }

  async #write(reported: boolean, now: number): Promise<void> {
    const { jobs, record, execution } = this.#parts;
    await jobs.change(record.job.id, {
      at: timestampOf(now),
      within: ['running'],
      epoch: record.job.epoch,
      execution,
      set: { ...(reported ? this.#fields : {}), execution: aliveExecution(execution, now) },
    });
  }
}
