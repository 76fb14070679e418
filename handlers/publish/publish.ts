import type { Queue, SubscriptionTopic, Watcher } from '../ports.ts';
import type { Delivery } from '../queue-messages.ts';
import { inTurns, type Lane } from './in-turns.ts';
import { type JobChange, type NewestState, newestStates } from './newest-states.ts';
import { FramePoster, type FramePosterParts, frameOf } from './post-frame.ts';
import { topicsOf } from './topics.ts';

/** What runs at a time: as many as the SDK's NodeHttpHandler has sockets (aws-facts 2); more would only wait. */
export const CONCURRENCY = 50;

/** When a connection that is still connecting is tried again: $connect takes well below a second. */
const CONNECTING_DELAY_SECONDS = 1;

/** What `publish` needs. */
export interface PublishParts extends FramePosterParts {
  readonly deliveries: Queue<Delivery>;
}

/**
 * Tells the watchers of every job in a batch of the stream its newest state: one post for each connection and
 * job, however many topics match. What cannot be posted now is handed to the deliveries queue;
 * so is what is left ten seconds before `endsAt`, when Lambda stops the function (milliseconds since the epoch).
 *
 * Answers the sequence number from which on the batch has to come again; undefined when all is dealt with. That
 * is so only where something could get lost: the watchers of a job could not be read, or the deliveries queue
 * does not take them. Lambda goes on from the lowest number reported (aws-facts 3.4), so only the first record of
 * the first such job counts; jobs behind it are published again, which watchers do not notice (`seq`).
 */
export async function publish(
  changes: readonly JobChange[],
  parts: PublishParts,
  endsAt: number,
): Promise<string | undefined> {
  const { log, meter } = parts;
  for (const change of changes) {
    if (!('malformed' in change)) continue;
    meter.count('MalformedChanges', 1);
    // Skipped: it would be as malformed the next time, and hold up every job behind it.
    log.error('a change of a job is malformed', {
      sequenceNumber: change.sequenceNumber,
      error: change.malformed,
    });
  }
  const poster = new FramePoster(parts, endsAt);
  const ownersAndTags = new SharedTopics(parts);
  const publications = newestStates(changes).flatMap((state) => {
    const frame = frameOf(state.record, log);
    return frame === undefined ? [] : [new Publication(state, frame, poster, ownersAndTags, parts)];
  });
  const failures = await inTurns(
    publications.map((publication) => publication.lane),
    CONCURRENCY,
  );
  const failed = publications.filter((_, index) => failures.has(index));
  for (const [index, error] of failures) {
    log.warn('the watchers of a job could not be read now', { job: publications[index]?.job, error });
  }
  const unsent = await sendDeliveries(publications, parts);
  for (const publication of publications) publication.measure();
  const positions = [...failed, ...unsent].map((publication) => publication.firstPosition);
  if (positions.length === 0) return undefined;
  return changes[Math.min(...positions)]?.sequenceNumber;
}

/** The posts of one job. */
class Publication {
  readonly job: string;
  readonly firstPosition: number;
  readonly lane: Lane<Watcher>;
  readonly connecting: Delivery[] = [];
  readonly later: Delivery[] = [];
  readonly #parts: PublishParts;
  readonly #committedAt: number;
  #posted = 0;
  #slowest = 0;

  constructor(
    { record, firstPosition }: NewestState,
    frame: string,
    poster: FramePoster,
    topics: SharedTopics,
    parts: PublishParts,
  ) {
    this.job = record.job.id;
    this.firstPosition = firstPosition;
    this.#parts = parts;
    // Not the stream's time of the change: that has whole seconds only (aws-facts 3.1).
    this.#committedAt = Date.parse(record.job.updatedAt);
    this.lane = {
      pages: topics.watchers(topicsOf(record)),
      work: (watcher) => this.#post(watcher, frame, poster),
    };
  }

  /** Reports what happened to the meter. */
  measure(): void {
    const { meter } = this.#parts;
    if (this.#posted > 0) {
      meter.count('FramesPosted', this.#posted);
      meter.milliseconds('CommitToPost', this.#slowest);
    }
    const postponed = this.connecting.length + this.later.length;
    if (postponed > 0) meter.count('FramesPostponed', postponed);
  }

  async #post(watcher: Watcher, frame: string, poster: FramePoster): Promise<void> {
    const { connection, connectingUntil } = watcher;
    const delivery = {
      job: this.job,
      connection,
      attempt: 0,
      ...(connectingUntil === undefined ? {} : { connectingUntil }),
    };
    switch (await poster.post(watcher, frame)) {
      case 'posted':
        this.#posted += 1;
        this.#slowest = Math.max(this.#slowest, this.#parts.now().getTime() - this.#committedAt);
        break;
      case 'connecting':
        this.connecting.push(delivery);
        break;
      case 'later':
        this.later.push(delivery);
        break;
      case 'gone':
        break;
    }
  }
}

/** Sends what is owed, in two batches by delay. Answers the jobs of a batch that could not be sent. */
async function sendDeliveries(
  publications: readonly Publication[],
  { deliveries, log }: PublishParts,
): Promise<readonly Publication[]> {
  const send = async (owed: (publication: Publication) => readonly Delivery[], delaySeconds: number) => {
    const messages = publications.flatMap((publication) => owed(publication));
    if (messages.length === 0) return [];
    try {
      await deliveries.send(messages, { delaySeconds });
      return [];
    } catch (error) {
      log.warn('deliveries could not be queued now', { count: messages.length, error });
      return publications.filter((publication) => owed(publication).length > 0);
    }
  };
  // A second as well: what is throttled now is throttled at once again.
  const unsent = await Promise.all([
    send(({ connecting }) => connecting, CONNECTING_DELAY_SECONDS),
    send(({ later }) => later, 1),
  ]);
  return unsent.flat();
}

/**
 * The watchers of topics during one batch. Owners and tags are shared by many jobs and read once: every change
 * of the batch was committed before the batch came, so a row that is written after the reading belongs to a
 * subscriber who sees those changes in the answer to `subscribe`.
 */
class SharedTopics {
  readonly #parts: PublishParts;
  readonly #now: string;
  readonly #shared = new Map<SubscriptionTopic, Promise<readonly Watcher[]>>();

  constructor(parts: PublishParts) {
    this.#parts = parts;
    this.#now = parts.now().toISOString();
  }

  /** Every connection once, whichever of the topics it watches. */
  async *watchers(topics: readonly SubscriptionTopic[]): AsyncGenerator<readonly Watcher[]> {
    const seen = new Set<string>();
    for (const topic of topics) {
      for await (const page of this.#pages(topic)) {
        const fresh = page.filter(({ connection }) => !seen.has(connection));
        for (const { connection } of fresh) seen.add(connection);
        if (fresh.length > 0) yield fresh;
      }
    }
  }

  #pages(topic: SubscriptionTopic): AsyncIterable<readonly Watcher[]> {
    return topic.startsWith('job:')
      ? this.#parts.subscriptions.watchers(topic, this.#now)
      : this.#sharedPage(topic);
  }

  async *#sharedPage(topic: SubscriptionTopic): AsyncGenerator<readonly Watcher[]> {
    let reading = this.#shared.get(topic);
    if (reading === undefined) {
      reading = this.#readAll(topic);
      this.#shared.set(topic, reading);
    }
    yield await reading;
  }

  async #readAll(topic: SubscriptionTopic): Promise<readonly Watcher[]> {
    const watchers: Watcher[] = [];
    for await (const page of this.#parts.subscriptions.watchers(topic, this.#now)) watchers.push(...page);
    return watchers;
  }
}
