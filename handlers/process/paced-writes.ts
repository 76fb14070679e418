import { ChangeRefusedError, JobNotFoundError, UnavailableError } from '../errors.ts';
import type { JobRecord, Jobs, Log } from '../ports.ts';
import type { Clock } from './clock.ts';
import { WorkStoppedError } from './work-stopped.ts';

/** Without a write for this long, a consistent read looks whether the job is still ours to work on. */
const LOOK_EVERY = 2_000;

/** Without a report for this long, a write says that the execution is alive. Three fit into ALIVE_FOR. */
const HEARTBEAT_EVERY = 20_000;

/** Waits after writes that failed: doubled each time, from and to. */
const FIRST_WAIT = 200;
const LAST_WAIT = 5_000;

/** What `PacedWrites` needs. */
export interface PacedWritesParts {
  readonly jobs: Jobs;
  readonly record: JobRecord;
  readonly execution: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once when the work has lost its point. */
  readonly stop: (reason: WorkStoppedError) => void;
  /** The least time between two writes, in milliseconds. */
  readonly writeEvery: number;
  /**
   * Writes into the job, as execution: what was reported if something was, and that the execution is alive.
   * @throws as `Jobs.change`.
   */
  readonly write: (reported: boolean, now: number) => Promise<void>;
}

/**
 * When an execution writes into its job: never two writes at a time, the newest report wins, what is between is
 * dropped. Tells the work to stop when the job has been cancelled or taken over. Nothing that the network does
 * reaches the work.
 */
export class PacedWrites {
  readonly #parts: PacedWritesParts;
  #dirty = false;
  #settled = false;
  #busy: Promise<void> | undefined;
  #timer: { cancel(): void } | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #heardAt: number;
  #lookedAt: number;
  #waitUntil = Number.NEGATIVE_INFINITY;
  #wait = FIRST_WAIT;

  constructor(parts: PacedWritesParts) {
    this.#parts = parts;
    this.#heardAt = parts.clock.now();
    this.#lookedAt = this.#heardAt;
    this.#schedule();
  }

  /** Something was reported: it is written as soon as may be. Nothing is once the work is over. */
  request(): void {
    if (this.#settled) return; // a processor that was told to stop may still be talking
    this.#dirty = true;
    this.#schedule();
  }

  /** Stops writing, and waits for the write that is under way. */
  async settle(): Promise<void> {
    this.#settled = true;
    this.#timer?.cancel();
    await this.#busy;
  }

  /** Exactly one thing is due next: a write, a sign of life, or a look. */
  #schedule(): void {
    if (this.#settled || this.#busy !== undefined) return;
    this.#timer?.cancel();
    const now = this.#parts.clock.now();
    const write = this.#dirty
      ? Math.max(this.#writtenAt + this.#parts.writeEvery, this.#waitUntil)
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
    const { clock, log } = this.#parts;
    const now = clock.now();
    const reported = this.#dirty;
    this.#dirty = false;
    this.#writtenAt = now;
    try {
      await this.#parts.write(reported, now);
      this.#heardAt = now;
      this.#lookedAt = now;
      this.#wait = FIRST_WAIT;
    } catch (error) {
      const reason = stopReasonOf(error);
      if (reason !== undefined) return this.#stop(reason);
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
      const reason = stopReasonFor(await jobs.read(record.job.id), record.job.epoch, execution);
      if (reason !== undefined) this.#stop(reason);
    } catch (error) {
      this.#note(log, 'the job could not be looked at now', error);
    }
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

/** Why an execution has to stop, by how its job stands; undefined where the job is its own. */
export function stopReasonFor(
  current: JobRecord | undefined,
  epoch: string,
  execution: string,
): WorkStoppedError | undefined {
  if (current === undefined) return new WorkStoppedError('gone');
  if (current.job.epoch !== epoch || current.job.status !== 'running')
    return new WorkStoppedError('cancelled');
  return current.execution?.id === execution ? undefined : new WorkStoppedError('lost');
}

/** Why an execution has to stop, by what became of its write; undefined where it need not. */
export function stopReasonOf(error: unknown): WorkStoppedError | undefined {
  if (error instanceof JobNotFoundError) return new WorkStoppedError('gone', { cause: error });
  // A refusal for `seq` says that another range of the same work was quicker.
  if (!(error instanceof ChangeRefusedError) || error.reason === 'seq') return undefined;
  return new WorkStoppedError(error.reason === 'execution' ? 'lost' : 'cancelled', { cause: error });
}
