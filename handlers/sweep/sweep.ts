import type { JobError } from '../../protocol/job.ts';
import {
  ChangeRefusedError,
  JobNotFoundError,
  type MalformedDataError,
  UnavailableError,
} from '../errors.ts';
import type { Deadline, JobChange, JobRecord, Jobs, Log, Meter, Now, Queue, Uploads } from '../ports.ts';
import { dueOf } from './due.ts';

/** One message of the deadlines queue. */
export type DeadlineReading =
  | { readonly messageId: string; readonly message: Deadline }
  | { readonly messageId: string; readonly malformed: MalformedDataError };

/** What `sweep` needs. */
export interface SweepParts {
  readonly jobs: Jobs;
  readonly uploads: Pick<Uploads, 'abort'>;
  readonly deadlines: Queue<Deadline>;
  readonly now: Now;
  readonly log: Log;
  readonly meter: Meter;
}

/** The longest delay of a message (SQS: 900 s). */
const LONGEST_DELAY_SECONDS = 900;

/**
 * Looks at jobs whose deadline may have passed. A job has one chain of messages for each status: while the job
 * is in it, each look sends the next message; the chain ends when the job has moved on. Answers the ids of
 * messages that must come again, because something was unavailable; looking twice is harmless.
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
  let record = await jobs.read(deadline.job);
  const due = record === undefined || !isAbout(record, deadline) ? undefined : dueOf(record, now());
  if (record !== undefined && due?.action !== undefined) record = await act(record, due.action, parts);
  if (record === undefined || !isAbout(record, deadline)) return;
  const { action, nextLook } = dueOf(record, now());
  if (action === undefined && nextLook === undefined) return; // the end of the job: nothing is due any more
  // Something may be due again already (somebody else changed the job first): then at once.
  const seconds = nextLook === undefined ? 1 : Math.ceil((nextLook.getTime() - now().getTime()) / 1000);
  await deadlines.send([deadline], { delaySeconds: Math.min(LONGEST_DELAY_SECONDS, Math.max(1, seconds)) });
}

function isAbout({ job }: JobRecord, deadline: Deadline): boolean {
  return job.epoch === deadline.epoch && job.status === deadline.status;
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
      : { ...same, to: action.to, set: { error: action.error } };
  try {
    const record = await jobs.change(job.id, change);
    meter.count(action.to === 'stalled' ? 'JobsStalled' : 'JobsGivenUp', 1);
    log.info(`a deadline passed: the job is ${action.to}`, { job: job.id });
    if (action.to === 'expired') await giveUpUpload(record, parts);
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
