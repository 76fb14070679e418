import { ChangeRefusedError, JobNotFoundError, UnavailableError } from '../errors.ts';
import type { Execution, JobRecord, Jobs, Log } from '../ports.ts';
import { type Clock, timestampOf } from './clock.ts';
import { mergeReport, type ReportedFields } from './progress-merge.ts';
import type { ProgressReporter, Report } from './report.ts';
import { WorkStoppedError } from './work-stopped.ts';

/**
 * The least time between two writes of progress: ten a second. Faster than people see (below 100 ms a change
 * counts as immediate: Nielsen, "Response Times"), far below the 1,000 writes a second of a DynamoDB partition,
 * and at $0.625 a million (aws-facts 7) an hour of work that never stops reporting costs 2.3 cents for each KB of
 * the job's item, mostly one or two; no index holds what a report changes (infrastructure/jobs-table.ts).
 */
const WRITE_EVERY = 100;

/** Without a write for this long, a consistent read looks whether the job is still ours to work on. */
const LOOK_EVERY = 2_000;

/** Without a report for this long, a write says that the execution is alive. Three fit into ALIVE_FOR. */
const HEARTBEAT_EVERY = 20_000;

/** How long an execution counts as alive after each write. */
const ALIVE_FOR = 60_000;

/** Waits after writes that failed: doubled each time, from and to. */
const FIRST_WAIT = 200;
const LAST_WAIT = 5_000;

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

/**
 * Writes what a processor reports into the job: never two writes at a time, the newest report wins, what is
 * between is dropped. Tells the processor to stop when the job has been cancelled or taken over. Nothing that
 * the network does reaches the processor.
 */
export class JobReporter implements ProgressReporter {
  readonly #parts: JobReporterParts;
  #fields: ReportedFields;
  #dirty = false;
  #settled = false;
  #busy: Promise<void> | undefined;
  #timer: { cancel(): void } | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #heardAt: number;
  #lookedAt: number;
  #waitUntil = Number.NEGATIVE_INFINITY;
  #wait = FIRST_WAIT;

  constructor(parts: JobReporterParts) {
    this.#parts = parts;
    const { progress, step, message } = parts.record.job;
    this.#fields = {
      ...(progress === undefined ? {} : { progress }),
      ...(step === undefined ? {} : { step }),
      ...(message === undefined ? {} : { message }),
    };
    this.#heardAt = parts.clock.now();
    this.#lookedAt = this.#heardAt;
    this.#schedule();
  }

  report(report: Report): void {
    this.#fields = mergeReport(this.#fields, report, this.#parts.record.uploadShare);
    if (this.#settled) return; // the work is over: a processor that was told to stop may still be talking
    this.#dirty = true;
    this.#schedule();
  }

  /**
   * Stops writing, waits for the write that is under way, and answers the newest fields: the last report goes
   * into the write that ends the job.
   */
  async settle(): Promise<ReportedFields> {
    this.#settled = true;
    this.#timer?.cancel();
    await this.#busy;
    return this.#fields;
  }

  /** Exactly one thing is due next: a write, a sign of life, or a look. */
  #schedule(): void {
    if (this.#settled || this.#busy !== undefined) return;
    this.#timer?.cancel();
    const now = this.#parts.clock.now();
    const write = this.#dirty
      ? Math.max(this.#writtenAt + WRITE_EVERY, this.#waitUntil)
      : Number.POSITIVE_INFINITY;
    const heartbeat = Math.max(this.#heardAt + HEARTBEAT_EVERY, this.#waitUntil);
    const look = this.#lookedAt + LOOK_EVERY;
    const due = Math.min(write, heartbeat, look);
    if (due > now) {
      this.#timer = this.#parts.clock.schedule(due - now, () => this.#schedule());
      return;
    }
    this.#busy = (Math.min(write, heartbeat) <= now ? this.#write() : this.#look()).finally(() => {
      this.#busy = undefined;
      this.#schedule();
    });
  }

  async #write(): Promise<void> {
    const { jobs, record, execution, clock, log } = this.#parts;
    const now = clock.now();
    const reported = this.#dirty;
    this.#dirty = false;
    this.#writtenAt = now;
    try {
      await jobs.change(record.job.id, {
        at: timestampOf(now),
        within: ['running'],
        epoch: record.job.epoch,
        execution,
        set: { ...(reported ? this.#fields : {}), execution: aliveExecution(execution, now) },
      });
      this.#heardAt = now;
      this.#lookedAt = now;
      this.#wait = FIRST_WAIT;
    } catch (error) {
      if (this.#isStop(error)) return;
      this.#dirty ||= reported;
      this.#waitUntil = clock.now() + this.#wait;
      this.#wait = Math.min(LAST_WAIT, this.#wait * 2);
      this.#note(log, 'progress could not be written now', error);
    }
  }

  async #look(): Promise<void> {
    const { jobs, record, execution, clock, log } = this.#parts;
    this.#lookedAt = clock.now();
    try {
      const current = await jobs.read(record.job.id);
      if (current === undefined) this.#stop(new WorkStoppedError('gone'));
      else if (current.job.epoch !== record.job.epoch || current.job.status !== 'running') {
        this.#stop(new WorkStoppedError('cancelled'));
      } else if (current.execution?.id !== execution) this.#stop(new WorkStoppedError('lost'));
    } catch (error) {
      this.#note(log, 'the job could not be looked at now', error);
    }
  }

  #isStop(error: unknown): boolean {
    if (error instanceof JobNotFoundError) this.#stop(new WorkStoppedError('gone', { cause: error }));
    else if (error instanceof ChangeRefusedError) {
      this.#stop(new WorkStoppedError(error.reason === 'execution' ? 'lost' : 'cancelled', { cause: error }));
    } else return false;
    return true;
  }

  #stop(reason: WorkStoppedError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#parts.stop(reason);
  }

  /** Work goes on whatever happens here; but only what passes by itself is worth a mere warning. */
  #note(log: Log, message: string, error: unknown): void {
    const fields = { job: this.#parts.record.job.id, error };
    if (error instanceof UnavailableError) log.warn(message, fields);
    else log.error(message, fields);
  }
}
