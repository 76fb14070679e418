import type { Job } from '../protocol/job.ts';
import { ProblemError } from './errors.ts';
import type { Platform } from './platform.ts';
import { reportUpload, type UploadTarget } from './upload-calls.ts';

/**
 * The time between two reports, in milliseconds. The API writes at most one a second; a little more, so that one
 * that was quicker on its way than the last is not dropped.
 */
const REPORT_EVERY = 1_200;

/**
 * How many times there may be nothing new to report before the same figure is reported again: about five seconds. The
 * API writes nothing then, but answers whether anybody still waits for the file: where nothing moves, or in Node,
 * where one request tells nothing of its progress, nobody would ever ask.
 */
const QUIET_TURNS = 3;

/** What `UploadReporter` needs. */
export interface UploadReporterParts {
  readonly clock: Platform['clock'];
  readonly target: UploadTarget;
  /** Called once when the job has ended: nobody waits for the file any more. */
  readonly ended: (job: Job) => void;
}

/**
 * Tells the API how far an upload is, for the job's watchers: the newest figure, one request at a time; and learns by
 * the answers whether the job has ended. A report that fails is not repeated, because the next one says more, and
 * without any the upload is as good.
 */
export class UploadReporter {
  readonly #parts: UploadReporterParts;
  readonly #stop = new AbortController();
  #sent = 0;
  #reported = 0;
  #quietTurns = 0;
  #timer: { cancel(): void } | undefined;

  constructor(parts: UploadReporterParts) {
    this.#parts = parts;
    this.#wait();
  }

  /** Hears of the bytes that have left so far. */
  note(sent: number): void {
    this.#sent = sent;
  }

  /** Ends the reports; one that is under way is given up. */
  stop(): void {
    this.#timer?.cancel();
    this.#stop.abort();
  }

  #wait(): void {
    this.#timer = this.#parts.clock.schedule(REPORT_EVERY, () => void this.#report());
  }

  async #report(): Promise<void> {
    const sent = this.#sent;
    if (sent > this.#reported || this.#quietTurns === QUIET_TURNS) {
      this.#quietTurns = 0;
      try {
        await reportUpload(this.#parts.target, sent, this.#stop.signal);
        this.#reported = sent;
      } catch (error) {
        const job =
          error instanceof ProblemError && error.code === 'conflict' ? error.problem.job : undefined;
        if (job !== undefined) {
          this.#parts.ended(job);
          return;
        }
      }
    } else {
      this.#quietTurns += 1;
    }
    if (!this.#stop.signal.aborted) this.#wait();
  }
}
