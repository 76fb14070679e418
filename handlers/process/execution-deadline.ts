import type { Queue } from '../ports.ts';
import type { Deadline, Work } from '../queue-messages.ts';
import { type Persistence, persist } from './persistence.ts';

/** When the first look for a stalled job is due: the stall deadline of the sweep stage. */
const FIRST_LOOK_SECONDS = 60;

/**
 * So long the work waits for the deadlines queue. Without that message a stall is noticed by the job's own chain
 * of looks, within 15 minutes instead of one; no reason to let the work wait longer. Milliseconds.
 */
const SEND_FOR = 10_000;

/**
 * Sends the deadline of an execution before its work begins, so that one that kills itself with it has somebody who
 * looks each minute. Gives up at `until` at the latest (milliseconds since the epoch). Never throws.
 */
export async function sendExecutionDeadline(
  { job, epoch }: Work,
  execution: string,
  until: number,
  parts: Persistence & { readonly deadlines: Queue<Deadline> },
  signal?: AbortSignal,
): Promise<void> {
  const { deadlines, clock, log } = parts;
  const send = () => deadlines.send([{ job, epoch, execution }], { delaySeconds: FIRST_LOOK_SECONDS });
  try {
    await persist('sending the deadline', send, Math.min(clock.now() + SEND_FOR, until), parts, signal);
  } catch (error) {
    if (signal?.aborted !== true) log.error('a stall of this job will be noticed late', { job, error });
  }
}
