import { ChangeRefusedError, JobNotFoundError } from '../errors.ts';
import type { JobRecord, Jobs, Log } from '../ports.ts';
import type { Work } from '../queue-messages.ts';
import { type Clock, timestampOf } from './clock.ts';
import { aliveExecution } from './progress-reporter.ts';

/**
 * Who works on a job. `keep`: the message must stay in the queue, because another execution is at work and may
 * yet die. `drop`: nothing is left to do.
 */
export type Claim =
  | { readonly kind: 'claimed'; readonly record: JobRecord }
  | { readonly kind: 'keep' | 'drop' };

/**
 * Takes a job for an execution. Of all that try, exactly one gets it:
 *
 *     message      queued → running (this execution)      refused: look at who has it
 *     redelivered  running under an execution that is alive       → keep
 *     redelivered  running under one that is not (aliveUntil)     → take over, if `seq` is still the one seen
 *     redelivered  terminal, another epoch, or gone               → drop
 *
 * @throws UnavailableError.
 */
export async function claim(
  work: Work,
  execution: string,
  { jobs, clock, log }: { readonly jobs: Jobs; readonly clock: Clock; readonly log: Log },
): Promise<Claim> {
  const now = clock.now();
  const set = { execution: aliveExecution(execution, now) };
  const at = timestampOf(now);
  try {
    return {
      kind: 'claimed',
      record: await jobs.change(work.job, { at, to: 'running', epoch: work.epoch, set }),
    };
  } catch (error) {
    if (error instanceof JobNotFoundError) return dropped(log, work, 'the job is gone');
    if (!(error instanceof ChangeRefusedError)) throw error;
    const { current, reason } = error;
    if (reason === 'epoch') return dropped(log, work, 'the job has been made anew');
    // Work is sent after the job was queued, so this is a job that somebody wrote by hand.
    if (current.job.status === 'awaiting-upload') return { kind: 'keep' };
    if (current.job.status !== 'running') return dropped(log, work, `the job is ${current.job.status}`);
    if (current.execution !== undefined && Date.parse(current.execution.aliveUntil) > now)
      return { kind: 'keep' };
    return takeOver(current);
  }

  async function takeOver({ job }: JobRecord): Promise<Claim> {
    try {
      const record = await jobs.change(job.id, {
        at,
        within: ['running'],
        epoch: job.epoch,
        seq: job.seq,
        set,
      });
      log.warn('took over a job whose execution was not heard from', { job: job.id, execution });
      return { kind: 'claimed', record };
    } catch (error) {
      if (error instanceof JobNotFoundError) return dropped(log, work, 'the job is gone');
      if (error instanceof ChangeRefusedError) return { kind: 'keep' }; // somebody was faster, or it lives after all
      throw error;
    }
  }
}

function dropped(log: Log, work: Work, why: string): Claim {
  log.info(`nothing to do: ${why}`, { job: work.job });
  return { kind: 'drop' };
}
