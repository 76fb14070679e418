import { UnavailableError } from '../errors.ts';
import type { Broker, JobRecord, Jobs, Log, Meter, Queue } from '../ports.ts';
import type { RetainedState } from '../queue-messages.ts';
import { headOf } from './broker-teller.ts';
import { delaySeconds } from './delivery-attempts.ts';
import { inTurns } from './in-turns.ts';
import { frameOf } from './post-frame.ts';

/** One message of the deliveries queue that is for the broker. */
export interface RetainReading {
  readonly messageId: string;
  readonly message: RetainedState;
}

/** What `retain` needs. */
export interface RetainParts {
  readonly jobs: Pick<Jobs, 'read'>;
  readonly broker: Broker;
  readonly retained: Queue<RetainedState>;
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

/** So often a state is published at once when the job has changed meanwhile; then the next message goes on. */
const ROUNDS = 3;

/** How many messages are worked off at a time; the function gets ten at most. */
const CONCURRENCY = 10;

/**
 * Makes states the broker's retained messages that could not be when they were committed. Answers the ids of the
 * messages that must come again by themselves, to end in the dead-letter queue if that does not help.
 *
 * No older state stays behind a newer one, though `publish` goes on meanwhile. A message counts only while its state
 * is the newest: of a newer one its own change has seen to it. Only where a request was given up that may have arrived
 * behind that newer one, the newest is published once more. After a state was published the job is read again, and
 * what has become of it is published in turn; so what is written last was the newest after it had been written, and
 * every later change is published by `publish` after that.
 */
export async function retain(
  readings: readonly RetainReading[],
  parts: RetainParts,
): Promise<readonly string[]> {
  const { log } = parts;
  const kept: string[] = [];
  const work = async ({ messageId, message }: RetainReading): Promise<void> => {
    const task: RetainTask = { left: message };
    try {
      const next = await retainNewest(task, parts);
      if (next !== undefined) await parts.retained.send([next], { delaySeconds: 1 });
    } catch (error) {
      if (!(await sendAgain(task.left, error, parts))) kept.push(messageId);
      else log.warn('a state could not be retained now', { job: message.job, error });
    }
  };
  await inTurns([{ pages: onePage(readings), work }], CONCURRENCY);
  return kept;
}

/** A message, and what of it is left to be done. */
interface RetainTask {
  left: RetainedState;
}

/** Publishes until what is retained is the newest. Answers the message that is to go on after some rounds. */
async function retainNewest(
  task: RetainTask,
  { jobs, broker, log, meter }: RetainParts,
): Promise<RetainedState | undefined> {
  const { job } = task.left;
  let record = await jobs.read(job);
  if (headOrNone(record) !== task.left.head && task.left.mayArrive === undefined) return undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (record === undefined) await broker.clear(job);
    else {
      const frame = frameOf(record, log);
      if (frame === undefined) return undefined;
      await broker.publish(job, frame, { retain: true });
      meter.count('StatesRetained', 1);
    }
    const written = headOrNone(record);
    record = await jobs.read(job);
    const head = headOrNone(record);
    if (head === written) return undefined;
    // A new state, so its attempts begin anew.
    task.left = { kind: 'retained', job, ...(head === undefined ? {} : { head }), attempt: 0 };
  }
  return task.left;
}

/** Queues again what a service was not available for. Answers false where the message must come again by itself. */
async function sendAgain(
  left: RetainedState,
  error: unknown,
  { retained, random, log, meter }: RetainParts,
): Promise<boolean> {
  const attempt = left.attempt + 1;
  if (!(error instanceof UnavailableError) || attempt >= RETAIN_ATTEMPTS) {
    meter.count('BroadcastsRefused', 1);
    log.error('a state could not be retained', { job: left.job, error });
    return false;
  }
  try {
    const again: RetainedState = { ...left, ...(error.throttled ? {} : { mayArrive: true }), attempt };
    await retained.send([again], { delaySeconds: delaySeconds(attempt, random()) });
    return true;
  } catch (failure) {
    log.error('nor could it be sent again', { job: left.job, error: failure });
    return false;
  }
}

function headOrNone(record: JobRecord | undefined): string | undefined {
  return record === undefined ? undefined : headOf(record);
}

async function* onePage<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items;
}
