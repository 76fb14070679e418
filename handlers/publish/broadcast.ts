import { type MalformedDataError, UnavailableError } from '../errors.ts';
import type { Broadcast, BroadcastRound, NextRound } from '../queue-messages.ts';
import { delaySeconds, MAXIMUM_ATTEMPTS } from './delivery-attempts.ts';
import { FramePoster } from './post-frame.ts';
import { beginRound, SHORTEST_ROUND, secondsUntilNext } from './rounds.ts';
import { type BroadcastParts, type BroadcastTask, tellRange } from './tell-range.ts';

/** One message of the broadcasts queue. */
export type BroadcastReading =
  | { readonly messageId: string; readonly message: Broadcast }
  | { readonly messageId: string; readonly malformed: MalformedDataError };

/**
 * Works off messages of the broadcasts queue: tells ranges of large audiences the newest state of their job, and
 * begins rounds. What is left ten seconds before `endsAt`, when Lambda stops the function (milliseconds since the
 * epoch), is queued again; so is what a service was not available for, with a delay. Answers the ids of the messages
 * that must come again by themselves.
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
    if ('malformed' in reading) {
      // Kept, so that it ends in the dead-letter queue, where somebody can look at it.
      parts.log.error('a message of the broadcasts queue is malformed', {
        messageId,
        error: reading.malformed,
      });
      kept.push(messageId);
      continue;
    }
    const task: BroadcastTask = { left: reading.message };
    try {
      await work(reading.message, task, messageId, poster, parts);
    } catch (error) {
      if (!(await sendAgain(task.left, messageId, error, parts))) kept.push(messageId);
    }
  }
  return kept;
}

async function work(
  message: Broadcast,
  task: BroadcastTask,
  messageId: string,
  poster: FramePoster,
  parts: BroadcastParts,
): Promise<void> {
  if (message.kind === 'range') return await tellRange(message, task, poster, parts);
  const name = message.first ?? messageId;
  if (message.kind === 'round' || (await beginNextRound(message, name, parts))) {
    await tellEverybody(message, task, name, poster, parts);
  }
}

/**
 * Begins the round behind the one that was under way, unless another has done so: that one began later as well.
 * Answers whether it is for this message to have it told.
 */
async function beginNextRound(message: NextRound, name: string, parts: BroadcastParts): Promise<boolean> {
  const beginning = await beginRound(message, name, message.round, parts);
  // Assured: this message has begun the round before, and died before it had it told.
  if (beginning.begun || beginning.assured) return true;
  if (beginning.round === message.round) {
    await parts.broadcasts.send([message], { delaySeconds: secondsUntilNext(beginning, parts.now()) });
  }
  return false;
}

/**
 * Tells everybody. If several rounds have begun while the queue was behind, the first message that gets here takes
 * the newest of them, and the others find it taken: a round is told once, however long it had to wait.
 */
async function tellEverybody(
  { topic, job }: BroadcastRound | NextRound,
  task: BroadcastTask,
  name: string,
  poster: FramePoster,
  parts: BroadcastParts,
): Promise<void> {
  // Taken before the rows and the job are read, so that both are at least as new as the round.
  const nextAt = parts.now().getTime() + SHORTEST_ROUND;
  const round = await parts.rounds.take({ topic, job }, name, nextAt);
  if (round === undefined) return;
  await tellRange({ kind: 'range', topic, job, round, range: {}, posts: 0, attempt: 0 }, task, poster, parts);
}

/**
 * Sends again what is left of a message where a service was not available, so that nobody waits for the visibility
 * time-out. Answers false where the message has to come again by itself, to end in the dead-letter queue if that
 * does not help.
 */
async function sendAgain(
  left: Broadcast,
  messageId: string,
  error: unknown,
  { broadcasts, random, log }: BroadcastParts,
): Promise<boolean> {
  const attempt = left.attempt + 1;
  if (!(error instanceof UnavailableError) || attempt >= MAXIMUM_ATTEMPTS) {
    log.error('a message of the broadcasts queue could not be worked off', { messageId, error });
    return false;
  }
  log.warn('a message of the broadcasts queue could not be worked off now', { messageId, error });
  // Under its first name, because a write that seemed to fail may have begun or taken a round by it.
  const again: Broadcast =
    left.kind === 'range' ? { ...left, attempt } : { ...left, attempt, first: left.first ?? messageId };
  try {
    await broadcasts.send([again], { delaySeconds: delaySeconds(attempt, random()) });
    return true;
  } catch (failure) {
    log.error('nor could it be sent again', { messageId, error: failure });
    return false;
  }
}
