import type { Job } from '../protocol/job.ts';
import type { Watching } from './watcher.ts';

/** The watch of one job. It closes by itself once the job is terminal. */
export interface JobWatch extends Watching {
  readonly id: string;
  /** The newest state; absent until the first has come. */
  readonly job?: Job;
  /**
   * Settles once: with the terminal state, whichever of the four it is, or with an error when the watch ends before.
   * @throws WatchError when the watch is refused; WatchClosedError after `close()`; the signal's reason after an
   * abort.
   */
  finished(): Promise<Job>;
}
