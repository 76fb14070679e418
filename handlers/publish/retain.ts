import { UnavailableError } from '../errors.ts';
import type { Broker, JobRecord, Jobs, Log, Meter, Queue } from '../ports.ts';
import type { RetainedState } from '../queue-messages.ts';
import { headOf } from './broker-teller.ts';
import { delaySeconds } from './delivery-attempts.ts';
import { inTurns } from './in-turns.ts';
import { frameOf } from './post-frame.ts';

/** One message of the retained queue. */
export interface RetainReading {
  readonly messageId: string;
  /** How often the message has been received, this time included. */
  readonly receiveCount: number;
  readonly message: RetainedState;
}

/** What `retain` needs. */
export interface RetainParts {
  readonly jobs: Pick<Jobs, 'read'>;
  readonly broker: Broker;
  readonly retained: Queue<RetainedState>;
  readonly now: () => Date;
  /** From 0 to 1, for back-off. */
  readonly random: () => number;
  readonly log: Log;
  readonly meter: Meter;
}

/**
 * After so many attempts (half an hour, at a minute each in the end) a state is left to the dead-letter queue. Longer
 * than a delivery, because nothing makes up for it: a job that has ended changes no more, and nobody pings a broker.
 */
export const RETAIN_ATTEMPTS = 45;

/**
 * So long after it was made a request may arrive that was not answered, in milliseconds: its bytes may wait in a
 * connection that is being repaired, or in a function that Lambda has frozen. What comes later stays until the next
 * change; nothing bounds that time but experience.
 */
export const ARRIVES_WITHIN = 10_000;

/**
 * So long at least a message of the past waits for its next attempt, in seconds: by then the job, if it still changes,
 * has done so behind all that may arrive, and nothing is left to do.
 */
const PAST_SECONDS = (2 * ARRIVES_WITHIN) / 1000;

/** So often a state is published at once when the job has changed meanwhile; then the next message goes on. */
const ROUNDS = 3;

/** How many messages are worked off at a time; the function gets ten at most. */
const CONCURRENCY = 10;

/**
 * Makes states the broker's retained messages that could not be when they were committed. Answers the ids of the
 * messages that must come again by themselves, to end in the dead-letter queue if that does not help.
 *
 * No older state stays behind a newer one, though `publish` goes on meanwhile. A message counts only while its state
 * is the newest: of a newer one its own change has seen to it. After a state was published the job is read again, and
 * what has become of it is published in turn; so what is written last was the newest after it had been written, and
 * every later change is published by `publish` after that.
 *
 * A request without an answer may arrive behind a newer state. Then the newest is published once more at once, for it
 * mostly has arrived already, and again when none such can arrive any more. A message that is of the past is dropped
 * where the job has changed since that time, because that change is published behind all of it; so after an outage
 * everybody is told as often as requests were given up in its last seconds, however long it was.
 */
export async function retain(
  readings: readonly RetainReading[],
  parts: RetainParts,
): Promise<readonly string[]> {
  const { now, log } = parts;
  const kept: string[] = [];
  const work = async ({ messageId, receiveCount, message }: RetainReading): Promise<void> => {
    // Who received it before did not come to say what was sent.
    const left = receiveCount > 1 ? { ...message, sentAt: now().toISOString() } : message;
    const task: RetainTask = { left, isOfThePast: false };
    try {
      const next = await retainNewest(task, parts);
      if (next !== undefined) await parts.retained.send([task.left], { delaySeconds: next });
    } catch (error) {
      if (!(await sendAgain(task, error, parts))) kept.push(messageId);
      else log.warn('a state could not be retained now', { job: message.job, error });
    }
  };
  await inTurns([{ pages: onePage(readings), work }], CONCURRENCY);
  return kept;
}

/** A message, and what of it is left to be done. */
interface RetainTask {
  left: RetainedState;
  /** Whether there is a newer state, so that it only matters what may arrive behind that. */
  isOfThePast: boolean;
}

/** Publishes until what is retained is the newest. Answers in how many seconds the rest is to be done, if there is any. */
async function retainNewest(
  task: RetainTask,
  { jobs, broker, now, log, meter }: RetainParts,
): Promise<number | undefined> {
  const { job, sentAt } = task.left;
  const endsAt = sentAt === undefined ? 0 : Date.parse(sentAt) + ARRIVES_WITHIN;
  let record = await jobs.read(job);
  task.isOfThePast = headOrNone(record) !== task.left.head;
  if (task.isOfThePast && (record === undefined ? sentAt === undefined : changedAt(record) >= endsAt)) return;
  for (let round = 0; round < ROUNDS; round += 1) {
    const frame = record === undefined ? undefined : frameOf(record, log);
    if (record !== undefined && frame === undefined) return; // it never will be: the log says so
    const before = task.left;
    // Said first, because what fails from here on may do so behind the publication.
    task.left = { ...before, sentAt: now().toISOString() };
    try {
      await (frame === undefined ? broker.clear(job) : broker.publish(job, frame, { retain: true }));
    } catch (error) {
      if (error instanceof UnavailableError && error.throttled) task.left = before; // that was an answer
      throw error;
    }
    if (frame !== undefined) meter.count('StatesRetained', 1);
    const written = headOrNone(record);
    record = await jobs.read(job);
    const head = headOrNone(record);
    // Done with, so its attempts begin anew. What was sent before this message came may still arrive.
    task.left = {
      kind: 'retained',
      job,
      ...(head === undefined ? {} : { head }),
      ...(sentAt === undefined ? {} : { sentAt }),
      attempt: 0,
    };
    const rest = endsAt - now().getTime();
    if (head === written) return rest > 0 ? Math.ceil(rest / 1000) : undefined;
    task.isOfThePast = false;
  }
  return 1;
}

/** Queues again what a service was not available for. Answers false where the message must come again by itself. */
async function sendAgain(
  { left, isOfThePast }: RetainTask,
  error: unknown,
  { retained, random, log, meter }: RetainParts,
): Promise<boolean> {
  const attempt = left.attempt + 1;
  if (!(error instanceof UnavailableError) || attempt >= RETAIN_ATTEMPTS) {
    meter.count('BrokerRefused', 1);
    log.error('a state could not be retained', { job: left.job, error });
    return false;
  }
  try {
    const delay = delaySeconds(attempt, random());
    await retained.send([{ ...left, attempt }], {
      delaySeconds: isOfThePast ? Math.max(delay, PAST_SECONDS) : delay,
    });
    return true;
  } catch (failure) {
    log.error('nor could it be sent again', { job: left.job, error: failure });
    return false;
  }
}

function changedAt({ job }: JobRecord): number {
  return Date.parse(job.updatedAt);
}

function headOrNone(record: JobRecord | undefined): string | undefined {
  return record === undefined ? undefined : headOf(record);
}

async function* onePage<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items;
}
