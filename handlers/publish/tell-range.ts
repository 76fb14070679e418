import { UnavailableError } from '../errors.ts';
import type { AudienceRange, Jobs, Queue, WatcherPage } from '../ports.ts';
import type { Broadcast, BroadcastRange, Delivery } from '../queue-messages.ts';
import { reportMalformed } from './audiences.ts';
import { CONCURRENCY } from './concurrency.ts';
import { attemptsAfter, delaySeconds, MAXIMUM_ATTEMPTS } from './delivery-attempts.ts';
import { divideRest, rowsOfPage } from './key-ranges.ts';
import type { FramePoster, FramePosterParts } from './post-frame.ts';
import type { PostPace } from './post-pace.ts';
import { type RangeOutcome, RangePosting, restOf } from './range-posting.ts';
import type { RoundParts } from './rounds.ts';

/** What `broadcast` needs. */
export interface BroadcastParts extends FramePosterParts, RoundParts {
  readonly jobs: Pick<Jobs, 'read'>;
  readonly deliveries: Queue<Delivery>;
  readonly pace: PostPace;
  /** The rows that one message is worth, about; see `PORTION`. */
  readonly portion: number;
  /** Posts a second that all execution environments make together; rounds follow each other at that pace. */
  readonly postsPerSecond: number;
  /** From 0 to 1, for back-off. */
  readonly random: () => number;
}

/** A message that is being worked off. */
export interface BroadcastTask {
  /** What is to be sent again should anything fail now: what has been handed on is not in it any more. */
  left: Broadcast;
}

/** A 410 that may only mean "not yet" is tried again after so many seconds. */
const CONNECTING_DELAY_SECONDS = 1;

/**
 * Tells one portion of a range, after it has handed on the rest in ranges of about that size. A range that comes back
 * when a newer round has begun is dropped: that round tells the same watchers.
 * @throws UnavailableError; then what is `left` of the task must be told again. MalformedDataError for the job's item.
 */
export async function tellRange(
  message: BroadcastRange,
  task: BroadcastTask,
  poster: FramePoster,
  parts: BroadcastParts,
): Promise<void> {
  task.left = message;
  const { subscriptions, broadcasts, portion, now, meter } = parts;
  const { topic, job, round, range } = message;
  const limit = rowsOfPage(portion);
  const page = await subscriptions.watchers(topic, { range, limit, now: now().toISOString() });
  reportMalformed(topic, page, parts);
  const rest = await divide(message, page, parts);
  const isOld = await lengthen(message, page.watchers.length - message.posts + rest.length * portion, parts);
  if (isOld && message.attempt > 0) {
    meter.count('RangesSuperseded', 1);
    return;
  }
  // Before posting, so that others begin at once.
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
  const own: BroadcastRange = {
    ...message,
    range: restOf(range, undefined, page.next ?? range.until),
    posts: page.watchers.length,
  };
  task.left = own;
  const outcome = await new RangePosting(job, { ...parts, poster, concurrency: CONCURRENCY }).run(
    page.watchers,
  );
  if (outcome.posted > 0) meter.count('FramesBroadcast', outcome.posted);
  await settle(own, outcome, parts);
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

/** Hands on what was not told of a range: all of it in one message where nobody was, else the rest and each failure. */
async function settle(message: BroadcastRange, outcome: RangeOutcome, parts: BroadcastParts): Promise<void> {
  const { pace, deliveries, random, meter } = parts;
  const { end, posted, owed, untried, lastTried } = outcome;
  if (end === 'failing') pace.slowDown();
  else if (end === 'done' && posted > 0 && owed.every((one) => one.outcome !== 'throttled')) pace.recover();
  if (end === 'failing' && posted === 0) {
    await sendBack(message, outcome, parts);
    return;
  }
  if (end !== 'done' && untried > 0) {
    const range = restOf(message.range, lastTried, message.range.until);
    await sendBack({ ...message, range, posts: untried }, outcome, parts);
  }
  const byDelay = new Map<number, Delivery[]>();
  for (const { watcher, outcome: how } of owed) {
    const delay = how === 'connecting' ? CONNECTING_DELAY_SECONDS : delaySeconds(2, random());
    byDelay.set(delay, [...(byDelay.get(delay) ?? []), { job: message.job, ...watcher, attempt: 0 }]);
  }
  for (const [delay, group] of byDelay) await deliveries.send(group, { delaySeconds: delay });
  if (owed.length > 0) meter.count('FramesPostponed', owed.length);
}

/** Sends back a range that could not be told now, unless that was tried too often in vain. */
async function sendBack(
  message: BroadcastRange,
  { end, posted }: RangeOutcome,
  parts: BroadcastParts,
): Promise<void> {
  const { broadcasts, random, log, meter } = parts;
  const isLate = end === 'late';
  // One at least: a range that comes back is dropped if a newer round has begun by then.
  const attempt = isLate ? Math.max(1, message.attempt) : attemptsAfter(message.attempt, posted);
  if (attempt >= MAXIMUM_ATTEMPTS) {
    meter.count('RangesAbandoned', 1);
    log.warn('a range was given up; the next pings of its clients make up for it', { ...message });
    return;
  }
  meter.count('RangesSentBack', 1);
  // Ranges that failed come back at different times, and the round takes longer by what they do then.
  await broadcasts.send([{ ...message, attempt }], {
    delaySeconds: isLate ? 0 : delaySeconds(attempt, random()),
  });
  await lengthen(message, message.posts, parts);
}

/**
 * Has the next round wait for so many posts more, or fewer; if that fails, rounds follow each other a little faster or
 * slower. Answers whether a newer round has begun, where that is known.
 */
async function lengthen(
  { topic, job, round, attempt }: BroadcastRange,
  posts: number,
  { rounds, postsPerSecond, log }: BroadcastParts,
): Promise<boolean> {
  const milliseconds = Math.round((posts / postsPerSecond) * 1000);
  if (milliseconds === 0 && attempt === 0) return false;
  try {
    return !(await rounds.lengthen({ topic, job }, round, milliseconds));
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    log.warn('the length of a round could not be noted now', { job, round, error });
    return false;
  }
}
