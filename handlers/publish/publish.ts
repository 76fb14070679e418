import type { JobRecord, Queue, Watcher } from '../ports.ts';
import type { Delivery } from '../queue-messages.ts';
import { Audiences } from './audiences.ts';
import { CONCURRENCY } from './concurrency.ts';
import { spreadSeconds } from './delivery-attempts.ts';
import { inTurns, type Lane } from './in-turns.ts';
import { type JobChange, type NewestState, newestStates } from './newest-states.ts';
import { FramePoster, type FramePosterParts, frameOf, type PostOutcome } from './post-frame.ts';
import { PostTally } from './post-tally.ts';
import { announce, type RoundParts } from './rounds.ts';
import { topicsOf } from './topics.ts';

/** When what could not be posted is tried again; $connect, too, takes well below a second. */
const POSTPONED_SECONDS = 1;

/** What `publish` needs. */
export interface PublishParts extends FramePosterParts, RoundParts {
  readonly deliveries: Queue<Delivery>;
  /** The most rows of a topic that are posted to from here; see `PORTION`. */
  readonly portion: number;
  readonly pause: (milliseconds: number) => Promise<void>;
  /** From 0 to 1, for back-off. */
  readonly random: () => number;
}

/** So many posts of a batch must have failed before it stops: with as many under way at a time, fewer save nothing. */
const FAILED_POSTS = CONCURRENCY;

/** So many states of one job in one batch are a burst: they come faster than anybody can look. */
const BURST = 3;

/** During a burst, so long from one batch to the next, in milliseconds: four frames a second is what a watcher gets. */
const BURST_MILLISECONDS = 250;

/** A batch of so many states (infrastructure/publishing.ts) may leave others behind it: then nothing is held. */
const FULL_BATCH = 100;

/**
 * Tells the watchers of every job in a batch of the stream its newest state: one post for each connection and
 * job, however many topics match. What cannot be posted now is handed to the deliveries queue; so is what is left
 * when too many posts have failed, and what is left ten seconds before `endsAt`, when Lambda stops the function (milliseconds since the epoch).
 * A topic with more watchers than one execution should post to is not posted to at all, but announced (rounds.ts).
 *
 * Answers the sequence number from which on the batch has to come again; undefined when all is dealt with. That
 * is so only where something could get lost: the watchers of a job could not be read, the deliveries queue takes
 * nothing, or a large audience could not be announced. Lambda goes on from the lowest number reported (aws-facts
 * 3.4), so only the first record of the first such job counts; jobs behind it are published again, which watchers do
 * not notice (`seq`).
 */
export async function publish(
  changes: readonly JobChange[],
  parts: PublishParts,
  endsAt: number,
): Promise<string | undefined> {
  const { log, meter } = parts;
  const begunAt = parts.now().getTime();
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
  const tally = new PostTally(FAILED_POSTS);
  const audiences = new Audiences(parts);
  const publications = newestStates(changes).flatMap((state) => {
    const frame = frameOf(state.record, log);
    return frame === undefined ? [] : [new Publication(state, frame, { poster, tally }, audiences, parts)];
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
  if (positions.length === 0) {
    if (isBurst(changes)) {
      await parts.pause(Math.max(0, begunAt + BURST_MILLISECONDS - parts.now().getTime()));
    }
    return undefined;
  }
  return changes[Math.min(...positions)]?.sequenceNumber;
}

/**
 * Whether to let states gather before the next batch: Lambda hands over the next changes of a job when this batch is
 * done (aws-facts 3.3), so to wait is all that it takes to send fewer, newer states.
 */
function isBurst(changes: readonly JobChange[]): boolean {
  if (changes.length >= FULL_BATCH) return false;
  const states = new Map<string, number>();
  for (const change of changes) {
    if ('malformed' in change) continue;
    const { id } = change.record.job;
    states.set(id, (states.get(id) ?? 0) + 1);
  }
  return [...states.values()].some((count) => count >= BURST);
}

/** What the posts of a batch have in common. */
interface Posting {
  readonly poster: FramePoster;
  readonly tally: PostTally;
}

/** The posts of one job. */
class Publication {
  readonly job: string;
  readonly firstPosition: number;
  readonly lane: Lane<Watcher>;
  readonly owed: { readonly delivery: Delivery; readonly outcome: PostOutcome }[] = [];
  readonly #record: JobRecord;
  readonly #parts: PublishParts;
  readonly #committedAt: number;
  #posted = 0;
  #slowest = 0;

  constructor(
    { record, firstPosition }: NewestState,
    frame: string,
    posting: Posting,
    audiences: Audiences,
    parts: PublishParts,
  ) {
    this.#record = record;
    this.job = record.job.id;
    this.firstPosition = firstPosition;
    this.#parts = parts;
    // Not the stream's time of the change: that has whole seconds only (aws-facts 3.1).
    this.#committedAt = Date.parse(record.job.updatedAt);
    this.lane = {
      pages: this.#watchers(audiences),
      work: (watcher) => this.#post(watcher, frame, posting),
    };
  }

  /** Reports what happened to the meter. */
  measure(): void {
    const { meter } = this.#parts;
    if (this.#posted > 0) {
      meter.count('FramesPosted', this.#posted);
      meter.milliseconds('CommitToPost', this.#slowest);
    }
    if (this.owed.length > 0) meter.count('FramesPostponed', this.owed.length);
  }

  /** Announces the job to the large ones of its audiences, and answers who else watches it, each once. */
  async *#watchers(audiences: Audiences): AsyncGenerator<readonly Watcher[]> {
    const topics = topicsOf(this.#record);
    const pages = await Promise.all(topics.map((topic) => audiences.read(topic)));
    const large = topics.filter((_, index) => pages[index]?.next !== undefined);
    const { epoch, seq } = this.#record.job;
    await Promise.all(
      large.map((topic) => announce({ topic, job: this.job }, `${epoch}.${seq}`, this.#parts)),
    );
    if (large.length > 0) this.#parts.meter.count('LargeAudiences', large.length);
    const small = pages.flatMap(({ watchers, next }) => (next === undefined ? watchers : []));
    yield [...new Map(small.map((watcher) => [watcher.connection, watcher])).values()];
  }

  async #post(watcher: Watcher, frame: string, { poster, tally }: Posting): Promise<void> {
    const isTried = !tally.isFailing;
    const outcome = isTried ? await poster.post(watcher, frame) : 'throttled';
    if (isTried) tally.count(outcome);
    if (outcome === 'gone') return;
    if (outcome === 'posted') {
      this.#posted += 1;
      this.#slowest = Math.max(this.#slowest, this.#parts.now().getTime() - this.#committedAt);
    } else {
      this.owed.push({ delivery: { job: this.job, ...watcher, attempt: 0 }, outcome });
    }
  }
}

/** Sends what is owed, in batches by delay. Answers the jobs of a batch that could not be sent. */
async function sendDeliveries(
  publications: readonly Publication[],
  { deliveries, random, log }: PublishParts,
): Promise<readonly Publication[]> {
  const owed = publications.flatMap((publication) =>
    publication.owed.map((one) => ({ ...one, publication })),
  );
  const throttled = owed.filter(({ outcome }) => outcome === 'throttled').length;
  const byDelay = Map.groupBy(owed, ({ outcome }) =>
    // What is throttled now is throttled at once again, so it comes back at different times.
    outcome === 'throttled' ? spreadSeconds(throttled, random()) : POSTPONED_SECONDS,
  );
  const unsent = await Promise.all(
    [...byDelay].map(async ([delay, group]) => {
      try {
        await deliveries.send(
          group.map(({ delivery }) => delivery),
          { delaySeconds: delay },
        );
        return [];
      } catch (error) {
        log.warn('deliveries could not be queued now', { count: group.length, error });
        return group.map(({ publication }) => publication);
      }
    }),
  );
  return unsent.flat();
}
