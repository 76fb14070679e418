import { RefusedError, UnavailableError } from '../errors.ts';
import type { Broker, JobRecord, Log, Meter, Queue } from '../ports.ts';
import type { RetainedState } from '../queue-messages.ts';
import { spreadSeconds } from './delivery-attempts.ts';
import { inTurns } from './in-turns.ts';
import { type JobChange, newestStates } from './newest-states.ts';
import { frameOf } from './post-frame.ts';

/** A job that was deleted, and which record of the stream says so. */
export interface RemovedJob {
  readonly sequenceNumber: string;
  readonly job: string;
}

/** What `BrokerTeller` needs. */
export interface BrokerTellerParts {
  readonly broker: Broker;
  /** Where what could not be retained now goes; `retain` works it off. */
  readonly retained: Queue<RetainedState>;
  readonly now: () => Date;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly meter: Meter;
}

/** Requests that are under way at a time: a batch has at most a hundred jobs, and the broker answers in milliseconds. */
const CONCURRENCY = 20;

/**
 * So long a broker is left alone that did not answer at all, in milliseconds: what changes meanwhile goes to the queue
 * at once, because every batch waits for its own attempts, and with it the next posts to WebSocket connections.
 */
const REST_MILLISECONDS = 5_000;

/** When what could not be retained is tried again, in seconds: brokers allow one retained message a second and topic. */
const POSTPONED_SECONDS = 1;

/** So long before the function's own end nothing is tried any more, in milliseconds: the queue must still be told. */
const STOP_BEFORE_END = 10_000;

/** What a job's topic is to say from now on; without a record the job is gone. */
interface Wanted {
  readonly job: string;
  readonly record?: JobRecord;
  /** Of the first record of the batch that is about the job. */
  readonly sequenceNumber: string;
}

type Outcome = 'retained' | 'throttled' | 'unavailable' | 'refused' | 'late';

/** What was not retained, and why. */
interface Owed {
  readonly wanted: Wanted;
  readonly outcome: Outcome;
}

/**
 * Tells a broker the newest state of every job in a batch of the stream: one message a job, whoever watches. Each is
 * tried once. What cannot be retained now goes to a queue of its own, from where `retain` reads the job anew: so a broker that
 * fails neither holds up nor repeats what is posted to connections, and no older state comes after a newer one.
 */
export class BrokerTeller {
  readonly #parts: BrokerTellerParts;
  #restsUntil = 0;

  constructor(parts: BrokerTellerParts) {
    this.#parts = parts;
  }

  /**
   * Tells the broker. Answers the sequence number from which on the batch has to come again: undefined, unless neither
   * the broker nor the queue took something. `endsAt` is when Lambda stops the function, in milliseconds since the epoch.
   */
  async tell(
    changes: readonly JobChange[],
    removed: readonly RemovedJob[],
    endsAt: number,
  ): Promise<string | undefined> {
    const { now, log } = this.#parts;
    const owed: Owed[] = [];
    let answered = 0;
    let unanswered = 0;
    const refusals: { readonly job: string; readonly error: unknown }[] = [];
    const work = async (wanted: Wanted): Promise<void> => {
      const time = now().getTime();
      const isLate = time < this.#restsUntil || time >= endsAt - STOP_BEFORE_END;
      const onRefusal = (error: unknown) => void refusals.push({ job: wanted.job, error });
      const outcome = isLate ? 'late' : await this.#try(wanted, onRefusal);
      if (outcome === 'unavailable') unanswered += 1;
      else if (outcome !== 'late') answered += 1;
      if (outcome !== 'retained') owed.push({ wanted, outcome });
      // A broker that hangs, hangs for all: those that are under way are enough to know it by.
      if (unanswered > 0 && answered === 0) this.#restsUntil = now().getTime() + REST_MILLISECONDS;
    };
    const wanted = wantedOf(changes, removed);
    await inTurns([{ pages: onePage(wanted), work }], CONCURRENCY);
    const [refusal] = refusals;
    if (refusal !== undefined) {
      const why = refusal.error instanceof RefusedError ? 'refused' : 'failed unforeseen';
      log.error(`states to be told by the broker were ${why}`, { ...refusal, count: refusals.length });
    }
    const unsent = await this.#owe(owed);
    return unsent
      .map(({ sequenceNumber }) => sequenceNumber)
      .sort((one, other) => (isLater(one, other) ? 1 : -1))
      .at(0);
  }

  async #try({ job, record }: Wanted, onRefusal: (error: unknown) => void): Promise<Outcome> {
    const { broker, log, meter } = this.#parts;
    try {
      if (record === undefined) {
        await broker.clear(job);
        return 'retained';
      }
      const frame = frameOf(record, log);
      if (frame === undefined) return 'retained'; // it never will be: the log says so
      await this.#publish(record, frame);
      meter.count('StatesTold', 1);
      return 'retained';
    } catch (error) {
      if (error instanceof UnavailableError) return error.throttled ? 'throttled' : 'unavailable';
      meter.count('BrokerRefused', 1);
      onRefusal(error);
      return 'refused';
    }
  }

  async #publish(record: JobRecord, frame: string): Promise<void> {
    const { broker, meter } = this.#parts;
    try {
      await broker.publish(record.job.id, frame, { retain: true });
    } catch (error) {
      if (!(error instanceof UnavailableError && error.throttled)) throw error;
      // Those who watch now need no retained message, and do not wait for one.
      await broker.publish(record.job.id, frame, { retain: false });
      meter.count('StatesTold', 1);
      throw error;
    }
  }

  /** Queues what is owed. Answers that for which even this failed. */
  async #owe(owed: readonly Owed[]): Promise<readonly Wanted[]> {
    const { retained, now, random, log, meter } = this.#parts;
    if (owed.length === 0) return [];
    meter.count('StatesPostponed', owed.length);
    const throttled = owed.filter(({ outcome }) => outcome === 'throttled').length;
    const byDelay = Map.groupBy(owed, ({ outcome }) =>
      // A few are throttled for their topic's sake, which a second mends; many for the account's.
      outcome === 'throttled' && throttled > CONCURRENCY
        ? spreadSeconds(throttled, random())
        : POSTPONED_SECONDS,
    );
    const unsent = await Promise.all(
      [...byDelay].map(async ([delaySeconds, group]) => {
        const messages = group.map(
          ({ wanted: { job, record }, outcome }): RetainedState => ({
            kind: 'retained',
            job,
            ...(record === undefined ? {} : { head: headOf(record) }),
            ...(outcome === 'unavailable' ? { sentAt: now().toISOString() } : {}),
            attempt: 0,
          }),
        );
        try {
          await retained.send(messages, { delaySeconds });
          return [];
        } catch (error) {
          log.warn('states to be retained could not be queued now', { count: group.length, error });
          return group.map(({ wanted }) => wanted);
        }
      }),
    );
    return unsent.flat();
  }
}

/** How a message names a state. */
export function headOf({ job: { epoch, seq } }: JobRecord): string {
  return `${epoch}.${seq}`;
}

/** The later of two sequence numbers of one batch, which are decimal numbers of up to 40 digits. */
export function isLater(one: string, other: string): boolean {
  return one.length === other.length ? one > other : one.length > other.length;
}

/** What the topics of a batch's jobs are to say: the newest state, or nothing where a removal came after it. */
function wantedOf(changes: readonly JobChange[], removed: readonly RemovedJob[]): readonly Wanted[] {
  const last = new Map<string, string>();
  for (const change of changes) {
    if (!('malformed' in change)) last.set(change.record.job.id, change.sequenceNumber);
  }
  const wanted = new Map<string, Wanted>();
  for (const { record, firstPosition } of newestStates(changes)) {
    const { id } = record.job;
    wanted.set(id, { job: id, record, sequenceNumber: changes[firstPosition]?.sequenceNumber ?? '' });
  }
  for (const { job, sequenceNumber } of removed) {
    const changedAt = last.get(job);
    if (changedAt !== undefined && isLater(changedAt, sequenceNumber)) continue;
    wanted.set(job, { job, sequenceNumber: wanted.get(job)?.sequenceNumber ?? sequenceNumber });
  }
  return [...wanted.values()];
}

async function* onePage<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  yield items;
}
