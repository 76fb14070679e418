import type { JobError } from '../../protocol/job.ts';
import {
  ChangeRefusedError,
  JobNotFoundError,
  type MalformedDataError,
  UnavailableError,
} from '../errors.ts';
import type { Executions, JobChange, JobRecord, Jobs, Log, Meter, Now, Queue, Uploads } from '../ports.ts';
import type { Deadline, Work } from '../queue-messages.ts';
import { dueOf, isWorkDue } from './due.ts';

/** One message of the deadlines queue. */
export type DeadlineReading =
  | { readonly messageId: string; readonly message: Deadline }
  | { readonly messageId: string; readonly malformed: MalformedDataError };

/** What `sweep` needs. */
export interface SweepParts {
  readonly jobs: Jobs;
  readonly uploads: Pick<Uploads, 'abort'>;
  readonly work: Queue<Work>;
  readonly deadlines: Queue<Deadline>;
  /** Present where a workflow works on jobs. */
  readonly executions?: Executions;
  readonly now: Now;
  readonly log: Log;
  readonly meter: Meter;
}

/** The longest delay of a message (SQS: 900 s). */
const LONGEST_DELAY_SECONDS = 900;

/**
 * Looks at jobs whose deadline may have passed. A job has one chain of messages for its whole life, begun before
 * the job itself: each look sends the next message until the job has ended. So there is no status in which a job
 * can be forgotten, whoever died. Beside it each execution has a chain of its own, which looks each minute and ends
 * with it. Answers the ids of messages that must come again, because something was unavailable; looking twice is
 * harmless.
 */
export async function sweep(
  readings: readonly DeadlineReading[],
  parts: SweepParts,
): Promise<readonly string[]> {
  const { log } = parts;
  const kept: string[] = [];
  for (const reading of readings) {
    try {
      if ('malformed' in reading) throw reading.malformed;
      await look(reading.message, parts);
    } catch (error) {
      // Also what is malformed: it ends in the dead-letter queue, where somebody can look at it.
      if (error instanceof UnavailableError) log.warn('a deadline could not be looked at now', { error });
      else log.error('a deadline could not be looked at', { error });
      kept.push(reading.messageId);
    }
  }
  return kept;
}

/** @throws UnavailableError, MalformedDataError. */
async function look(deadline: Deadline, parts: SweepParts): Promise<void> {
  const { jobs, deadlines, now } = parts;
  const seen = await jobs.read(deadline.job);
  if (seen === undefined || !isAbout(seen, deadline)) return;
  const lookedAt = now();
  const { action } = dueOf(seen, lookedAt);
  const record = action === undefined ? seen : await act(seen, action, parts);
  if (record === undefined || !isAbout(record, deadline)) return;
  if (isWorkDue(record, deadline.lookedAt, lookedAt)) await sendAgain(record, parts);
  const delaySeconds = delayUntilNextLook(record, deadline, now());
  if (delaySeconds === undefined) return; // the end of the job: nothing is due any more
  await deadlines.send([{ ...deadline, lookedAt: lookedAt.toISOString() }], { delaySeconds });
}

/** Whether the chain goes on: that of an execution while it works on the job, that of the job in any status. */
function isAbout({ job, execution }: JobRecord, deadline: Deadline): boolean {
  if (job.epoch !== deadline.epoch) return false;
  if (deadline.execution === undefined) return true;
  return job.status === 'running' && execution?.id === deadline.execution;
}

function delayUntilNextLook(record: JobRecord, deadline: Deadline, now: Date): number | undefined {
  const { action, nextLook } = dueOf(record, now);
  // Something is due again already (somebody else changed the job first): at once.
  if (action !== undefined) return 1;
  if (nextLook === undefined) return undefined;
  // The chain of the execution looks each minute; where there is none, because the execution died before it sent
  // a message, this one does in time.
  if (record.job.status === 'running' && deadline.execution === undefined) return LONGEST_DELAY_SECONDS;
  const seconds = Math.ceil((nextLook.getTime() - now.getTime()) / 1000);
  return Math.min(LONGEST_DELAY_SECONDS, Math.max(1, seconds));
}

/** Harmless where the first message is still in the queue: the claim lets one execution start. */
async function sendAgain({ job }: JobRecord, { work, log, meter }: SweepParts): Promise<void> {
  await work.send([{ job: job.id, epoch: job.epoch }]);
  meter.count('WorkSentAgain', 1);
  log.info('a job waits long: its work was sent again', { job: job.id });
}

/** Answers the job afterwards, also where somebody else changed it first. */
async function act(
  { job }: JobRecord,
  action: { readonly to: 'expired' | 'failed'; readonly error: JobError } | { readonly to: 'stalled' },
  parts: SweepParts,
): Promise<JobRecord | undefined> {
  const { jobs, now, log, meter } = parts;
  // On this very `seq`: a report that is written at this moment proves the job alive, and wins.
  const same = { at: now().toISOString(), epoch: job.epoch, seq: job.seq };
  const change: JobChange =
    action.to === 'stalled'
      ? { ...same, within: ['running'], set: { stalled: true } }
      : { ...same, to: action.to, set: { error: action.error }, clear: ['ranges'] };
  try {
    const record = await jobs.change(job.id, change);
    meter.count(action.to === 'stalled' ? 'JobsStalled' : 'JobsGivenUp', 1);
    log.info(`a deadline passed: the job is ${action.to}`, { job: job.id });
    if (action.to === 'expired') await giveUpUpload(record, parts);
    else if (action.to === 'failed') await stopExecution(record, parts);
    return record;
  } catch (error) {
    if (error instanceof JobNotFoundError) return undefined;
    if (error instanceof ChangeRefusedError) return error.current;
    throw error;
  }
}

/**
 * Deletes the parts of an upload that was not completed in time. The job has expired whether this succeeds or not:
 * what is left, the bucket's lifecycle rule deletes.
 */
async function giveUpUpload(record: JobRecord, { uploads, log }: SweepParts): Promise<void> {
  if (record.upload !== 'multipart') return;
  try {
    await uploads.abort(record);
  } catch (error) {
    log.warn('the parts of an expired upload are left to the bucket', { job: record.job.id, error });
  }
}

/** Lets nothing run on for a job that was given up. A step that runs all the same finds its job failed, and stops. */
async function stopExecution({ job }: JobRecord, { executions, log }: SweepParts): Promise<void> {
  if (executions === undefined) return;
  try {
    await executions.stop({ job: job.id, epoch: job.epoch });
  } catch (error) {
    log.warn('the execution of a job that was given up ends by itself', { job: job.id, error });
  }
}
