import type { Audience } from '../broadcast-rounds.ts';
import type { MalformedDataError } from '../errors.ts';
import type { AudienceRange, Jobs, Queue, WatcherPage } from '../ports.ts';
import type { Broadcast, BroadcastRange, Delivery, NextRound } from '../queue-messages.ts';
import { CONCURRENCY } from './concurrency.ts';
import { delaySeconds, MAXIMUM_ATTEMPTS } from './delivery-attempts.ts';
import { divideRest } from './key-ranges.ts';
import { FramePoster, type FramePosterParts } from './post-frame.ts';
import type { PostPace } from './post-pace.ts';
import { type RangeOutcome, RangePosting, restOf } from './range-posting.ts';
import { beginRound, type RoundParts, SHORTEST_ROUND, secondsUntilNext } from './rounds.ts';

/** One message of the broadcasts queue. */
export type BroadcastReading =
  | { readonly messageId: string; readonly message: Broadcast }
  | { readonly messageId: string; readonly malformed: MalformedDataError };

/** What `broadcast` needs. */
export interface BroadcastParts extends FramePosterParts, RoundParts {
  readonly jobs: Pick<Jobs, 'read'>;
  readonly deliveries: Queue<Delivery>;
  readonly pace: PostPace;
  /** The most rows that one message is worth; see `PORTION`. */
  readonly portion: number;
  /** Posts a second that all execution environments make together; rounds follow each other at that pace. */
  readonly postsPerSecond: number;
  /** From 0 to 1, for back-off. */
  readonly random: () => number;
}

/** A 410 that may only mean "not yet" is tried again after so many seconds. */
const CONNECTING_DELAY_SECONDS = 1;

/**
 * Works off messages of the broadcasts queue: tells ranges of large audiences the newest state of their job, and
 * begins rounds. What is left ten seconds before `endsAt`, when Lambda stops the function (milliseconds since the
 * epoch), is queued again. Answers the ids of the messages that must come again.
 */
export async function broadcast(
  readings: readonly BroadcastReading[],
  parts: BroadcastParts,
  endsAt: number,
): Promise<readonly string[]> {
  const poster = new FramePoster(parts, endsAt);
  const kept: string[] = [];
  for (const reading of readings) {
    const { messageId } = reading;
    try {
      if ('malformed' in reading) throw reading.malformed;
      const { message } = reading;
      if (message.kind === 'round') await tellEverybody(message, messageId, poster, parts);
      else if (message.kind === 'next-round') await beginNextRound(message, messageId, poster, parts);
      else await tellRange(message, poster, parts);
    } catch (error) {
      // It comes again, and ends in the dead-letter queue if that does not help.
      parts.log.error('a message of the broadcasts queue could not be worked off', { messageId, error });
      kept.push(messageId);
    }
  }
  return kept;
}

/** Begins the round behind the one that was under way, unless another has done so: that one began later as well. */
async function beginNextRound(
  message: NextRound,
  messageId: string,
  poster: FramePoster,
  parts: BroadcastParts,
): Promise<void> {
  const beginning = await beginRound(message, messageId, message.round, parts);
  // Assured: this message has begun the round before, and died before it had it told.
  if (beginning.begun || beginning.assured) {
    await tellEverybody(message, messageId, poster, parts);
  } else if (beginning.round === message.round) {
    await parts.broadcasts.send([message], { delaySeconds: secondsUntilNext(beginning, parts.now()) });
  }
}

/**
 * Tells everybody. If several rounds have begun while the queue was behind, the first message that gets here takes
 * the newest of them, and the others find it taken: a round is told once, however long it had to wait.
 */
async function tellEverybody(
  { topic, job }: Audience,
  messageId: string,
  poster: FramePoster,
  parts: BroadcastParts,
): Promise<void> {
  // Taken before the rows and the job are read, so that both are at least as new as the round.
  const nextAt = parts.now().getTime() + SHORTEST_ROUND;
  const round = await parts.rounds.take({ topic, job }, messageId, nextAt);
  if (round === undefined) return;
  await tellRange({ kind: 'range', topic, job, round, range: {}, posts: 0, attempt: 0 }, poster, parts);
}

/** Tells one portion of a range, after it has handed on the rest in ranges of about that size. */
async function tellRange(message: BroadcastRange, poster: FramePoster, parts: BroadcastParts): Promise<void> {
  const { subscriptions, broadcasts, portion, now, meter } = parts;
  const { topic, job, round, range } = message;
  const page = await subscriptions.watchers(topic, { range, limit: portion, now: now().toISOString() });
  const rest = await divide(message, page, parts);
  await lengthen(message, page.watchers.length - message.posts + rest.length * portion, parts);
  // Before posting, so that others begin at once, and nothing has been posted yet if it fails.
  await broadcasts.send(
    rest.map(
      (part): BroadcastRange => ({
        kind: 'range',
        topic,
        job,
        round,
        range: part,
        posts: portion,
        attempt: 0,
      }),
    ),
  );
  const outcome = await new RangePosting(job, { ...parts, poster, concurrency: CONCURRENCY }).run(
    page.watchers,
  );
  if (outcome.posted > 0) meter.count('FramesBroadcast', outcome.posted);
  await settle(message, page, outcome, parts);
}

/** The ranges behind a page. */
async function divide(
  { topic, range: { until } }: BroadcastRange,
  { watchers, next }: WatcherPage,
  { subscriptions }: BroadcastParts,
): Promise<readonly AudienceRange[]> {
  if (next === undefined) return [];
  const behind = { after: next, ...(until === undefined ? {} : { until }) };
  const last = await subscriptions.lastWatcher(topic, behind);
  if (last === undefined) return [];
  return divideRest({ first: watchers[0]?.connection, next, last, until });
}

/** Hands on what was not told. */
async function settle(
  message: BroadcastRange,
  page: WatcherPage,
  { end, owed, untried, lastTried }: RangeOutcome,
  parts: BroadcastParts,
): Promise<void> {
  const { pace, broadcasts, deliveries, random, log, meter } = parts;
  const { job } = message;
  if (end === 'done' && owed.every(({ outcome }) => outcome !== 'throttled')) pace.recover();
  if (end === 'throttled') pace.slowDown();
  if (end !== 'done' && untried > 0) {
    const range = restOf(message.range, lastTried, page.next ?? message.range.until);
    const attempt = message.attempt + (end === 'late' ? 0 : 1);
    if (attempt >= MAXIMUM_ATTEMPTS) {
      meter.count('RangesAbandoned', 1);
      log.warn('a range was given up; the next pings of its clients make up for it', { ...message, range });
    } else {
      meter.count('RangesSentBack', 1);
      // Whoever was throttled comes back at different times, and the round takes longer by what they do then.
      await broadcasts.send([{ ...message, range, posts: untried, attempt }], {
        delaySeconds: end === 'late' ? 0 : delaySeconds(attempt, random()),
      });
      await lengthen(message, untried, parts);
    }
  }
  const byDelay = new Map<number, Delivery[]>();
  for (const { watcher, outcome } of owed) {
    const delay = outcome === 'connecting' ? CONNECTING_DELAY_SECONDS : delaySeconds(2, random());
    byDelay.set(delay, [...(byDelay.get(delay) ?? []), { job, ...watcher, attempt: 0 }]);
  }
  for (const [delay, group] of byDelay) await deliveries.send(group, { delaySeconds: delay });
  if (owed.length > 0) meter.count('FramesPostponed', owed.length);
}

/** Has the next round wait for so many posts more, or fewer. */
async function lengthen(
  { topic, job, round }: BroadcastRange,
  posts: number,
  { rounds, postsPerSecond }: BroadcastParts,
): Promise<void> {
  const milliseconds = Math.round((posts / postsPerSecond) * 1000);
  if (milliseconds !== 0) await rounds.lengthen({ topic, job }, round, milliseconds);
}
