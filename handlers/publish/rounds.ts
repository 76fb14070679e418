import type { Audience, BroadcastRounds, RoundBeginning } from '../broadcast-rounds.ts';
import type { Queue } from '../ports.ts';
import type { Broadcast } from '../queue-messages.ts';

/** What begins rounds. */
export interface RoundParts {
  readonly rounds: BroadcastRounds;
  readonly broadcasts: Queue<Broadcast>;
  readonly now: () => Date;
}

/** No two rounds of an audience begin closer together, in milliseconds: SQS delays by whole seconds. */
export const SHORTEST_ROUND = 1_000;

/**
 * A round that nobody has taken for so long may be followed by another, in milliseconds. It can have been lost only
 * where a batch of `publish` was given up in between; as long as a queue is behind, it costs one message more.
 */
const UNTAKEN_ROUND = 10_000;

/** How long to wait for a round that nobody has taken yet, so that its end is not known, in seconds. */
const UNKNOWN_WAIT = 1;

/**
 * Sees to it that a large audience is told the newest state of a job: begins a round, or leaves word that one is to
 * follow the one that is under way. `by` says who asks, and is the same when it asks again: then there is nothing to do
 * but what was not done.
 *
 * Why nothing is missed: a change is committed before this is called. If a round begins, its ranges read the job
 * later. If not, a `NextRound` behind the round under way is in the queue, before it is noted that there is one;
 * whoever finds the note knows of a round that is yet to begin. And the beginning of a round takes the note away.
 * @throws UnavailableError; then it must be called again.
 */
export async function announce(audience: Audience, by: string, parts: RoundParts): Promise<void> {
  const { topic, job } = audience;
  const { rounds, broadcasts } = parts;
  const beginning = await beginRound(audience, by, undefined, parts);
  if (beginning.begun) {
    await broadcasts.send([{ kind: 'round', topic, job, round: beginning.round, attempt: 0 }]);
    return;
  }
  if (beginning.followed || beginning.assured) return;
  const { round } = beginning;
  await broadcasts.send([{ kind: 'next-round', topic, job, round, attempt: 0 }], {
    delaySeconds: secondsUntilNext(beginning, parts.now()),
  });
  await rounds.follow(audience, round, by);
}

/** Begins a round; with `behind` only the one that follows that round. @throws UnavailableError. */
export async function beginRound(
  { topic, job }: Audience,
  by: string,
  behind: number | undefined,
  { rounds, now }: RoundParts,
): Promise<RoundBeginning> {
  const at = now().getTime();
  return await rounds.begin({
    topic,
    job,
    by,
    now: at,
    until: at + UNTAKEN_ROUND,
    ...(behind === undefined ? {} : { behind }),
  });
}

/** How long to wait for the next round, in whole seconds, as SQS wants them. */
export function secondsUntilNext(
  { nextAt, taken }: Extract<RoundBeginning, { begun: false }>,
  now: Date,
): number {
  return taken ? Math.max(1, Math.ceil((nextAt - now.getTime()) / 1000)) : UNKNOWN_WAIT;
}
