import { type MalformedDataError, UnavailableError } from '../errors.ts';
import type { JobRecord, Jobs, Queue } from '../ports.ts';
import type { Delivery } from '../queue-messages.ts';
import { CONCURRENCY } from './concurrency.ts';
import { delaySeconds, MAXIMUM_ATTEMPTS } from './delivery-attempts.ts';
import { inTurns } from './in-turns.ts';
import { FramePoster, type FramePosterParts, frameOf, isConnecting } from './post-frame.ts';

/** One message of the deliveries queue. */
export type DeliveryReading =
  | { readonly messageId: string; readonly message: Delivery }
  | { readonly messageId: string; readonly malformed: MalformedDataError };

/** What `deliver` needs. */
export interface DeliverParts extends FramePosterParts {
  readonly jobs: Pick<Jobs, 'read' | 'readMany'>;
  readonly deliveries: Queue<Delivery>;
  /** From 0 to 1, for back-off. */
  readonly random: () => number;
}

interface Owed {
  readonly delivery: Delivery;
  readonly messageIds: readonly string[];
}

/**
 * Posts the newest state of each job to each connection that is owed it: read now, strongly consistent, so that
 * it is never older than what was owed. Several messages for the same pair are one post. What is left ten seconds
 * before `endsAt`, when Lambda stops the function (milliseconds since the epoch), is queued again. Answers the ids
 * of the messages that must come again.
 */
export async function deliver(
  readings: readonly DeliveryReading[],
  parts: DeliverParts,
  endsAt: number,
): Promise<readonly string[]> {
  const { log } = parts;
  const kept: string[] = [];
  for (const reading of readings) {
    if (!('malformed' in reading)) continue;
    // Kept, so that it ends in the dead-letter queue, where somebody can look at it.
    log.error('a message of the deliveries queue is malformed', { error: reading.malformed });
    kept.push(reading.messageId);
  }
  const owed = merge(readings);
  const jobs = await readJobs([...new Set(owed.map(({ delivery }) => delivery.job))], parts);
  const poster = new FramePoster(parts, endsAt);
  const postponed: Owed[] = [];
  const frames = new Map<JobRecord, string>();
  const work = async (one: Owed): Promise<void> => {
    const record = jobs.get(one.delivery.job);
    if (record === 'unread') kept.push(...one.messageIds);
    if (record === 'unread' || record === undefined) return; // a job that is gone has nothing to tell
    const frame = frames.get(record) ?? frameOf(record, log);
    if (frame === undefined) return;
    frames.set(record, frame);
    const outcome = await poster.post(one.delivery, frame);
    if (outcome === 'posted') parts.meter.count('FramesDelivered', 1);
    else if (outcome !== 'gone') postponed.push(one);
  };
  await inTurns([{ pages: onePage(owed), work }], CONCURRENCY);
  kept.push(...(await postpone(postponed, parts)));
  return kept;
}

/** One entry a job and connection: as often tried as the message that has been tried most. */
function merge(readings: readonly DeliveryReading[]): readonly Owed[] {
  const owed = new Map<string, Owed>();
  for (const reading of readings) {
    if ('malformed' in reading) continue;
    const { message, messageId } = reading;
    const pair = JSON.stringify([message.job, message.connection]);
    const known = owed.get(pair);
    const delivery = known === undefined ? message : later(known.delivery, message);
    owed.set(pair, { delivery, messageIds: [...(known?.messageIds ?? []), messageId] });
  }
  return [...owed.values()];
}

function later(one: Delivery, other: Delivery): Delivery {
  const until = [one.connectingUntil, other.connectingUntil]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return {
    job: one.job,
    connection: one.connection,
    attempt: Math.max(one.attempt, other.attempt),
    ...(until === undefined ? {} : { connectingUntil: until }),
  };
}

/** The jobs by id. If they cannot be read together, each by itself, so that one bad item fails alone. */
async function readJobs(
  ids: readonly string[],
  { jobs, log }: DeliverParts,
): Promise<ReadonlyMap<string, JobRecord | 'unread'>> {
  if (ids.length === 0) return new Map();
  try {
    return new Map((await jobs.readMany(ids)).map((record) => [record.job.id, record]));
  } catch (error) {
    log.warn('the jobs of a batch could not be read together', { error });
    if (error instanceof UnavailableError) return new Map(ids.map((id) => [id, 'unread']));
  }
  const found = new Map<string, JobRecord | 'unread'>();
  for (const id of ids) {
    try {
      const record = await jobs.read(id);
      if (record !== undefined) found.set(id, record);
    } catch (error) {
      log.error('a job could not be read', { job: id, error });
      found.set(id, 'unread');
    }
  }
  return found;
}

/** Queues again what could not be posted. Answers the ids of messages for which even that failed. */
async function postpone(owed: readonly Owed[], parts: DeliverParts): Promise<readonly string[]> {
  const { deliveries, log, meter, now, random } = parts;
  const byDelay = new Map<number, Owed[]>();
  for (const { delivery, messageIds } of owed) {
    // A connection that is still coming about has until `connectingUntil`, however often that was tried.
    const connecting = isConnecting(delivery, now());
    const attempt = delivery.attempt + (connecting ? 0 : 1);
    if (attempt >= MAXIMUM_ATTEMPTS) {
      meter.count('DeliveriesAbandoned', 1);
      log.warn('a delivery was given up; the next ping of the client makes up for it', { ...delivery });
      continue;
    }
    // Whoever is still connecting is there within the second; a watcher waits for this very frame.
    const delay = connecting ? 1 : delaySeconds(attempt, random());
    byDelay.set(delay, [...(byDelay.get(delay) ?? []), { delivery: { ...delivery, attempt }, messageIds }]);
  }
  const failed: string[] = [];
  for (const [delay, group] of byDelay) {
    try {
      await deliveries.send(
        group.map(({ delivery }) => delivery),
        { delaySeconds: delay },
      );
    } catch (error) {
      log.warn('deliveries could not be queued again now', { count: group.length, error });
      failed.push(...group.flatMap(({ messageIds }) => messageIds));
    }
  }
  return failed;
}

async function* onePage<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items;
}
