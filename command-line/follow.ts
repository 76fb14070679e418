import { UnexpectedAnswerError, UnreachableError, WatchClosedError } from '../client/errors.ts';
import type { JobWatch } from '../client/job-watch.ts';
import { isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { Display } from './display.ts';
import { explain } from './errors.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';

/** How a watch ended: with a job that is over, or without. */
export interface Outcome {
  readonly id: string;
  readonly exitCode: ExitCode;
  /** The terminal state. */
  readonly job?: Job;
  /** Why there is none, for a person. */
  readonly reason?: string;
}

/**
 * Shows a job until it is over; `made` is the state that it was made with, which is shown first.
 *
 * A connection that breaks comes back by itself, however long that takes. One that never was is another matter:
 * nobody answers at this address, or somebody else does, and a script must not wait for ever to hear that.
 * @throws the reason of the watch's signal when it aborts, and whatever is a fault of ours.
 */
export async function follow(watch: JobWatch, display: Display, made?: Job): Promise<Outcome> {
  if (made !== undefined) display.job(made);
  let nobody: UnreachableError | UnexpectedAnswerError | undefined;
  let heard = false;
  watch.on((event) => {
    if (event.type === 'job') {
      heard = true;
      // What the watch begins with may be that state still, or one that is newer.
      if (isNewer(event.job, made)) display.job(event.job);
    } else if (event.type === 'connection') {
      if (event.connection.status === 'live') heard = true;
      display.connection(watch.id, event.connection);
    } else if (!heard && isNobody(event.error)) {
      nobody ??= event.error;
      // Not while the connection still tells of its fault.
      queueMicrotask(() => watch.close());
    }
  });
  try {
    const job = await watch.finished();
    return { id: watch.id, exitCode: isTerminal(job.status) ? exitCodeOf(job.status) : EXIT.fault, job };
  } catch (error) {
    const cause = error instanceof WatchClosedError && nobody !== undefined ? nobody : error;
    const explained = explain(cause);
    if (explained === undefined) throw cause;
    return { id: watch.id, exitCode: explained.exitCode, reason: explained.message };
  }
}

/** Whether there is no Jobwire API at this address. */
function isNobody(error: unknown): error is UnreachableError | UnexpectedAnswerError {
  return error instanceof UnreachableError || error instanceof UnexpectedAnswerError;
}
