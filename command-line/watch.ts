import type { Via } from '../client/access.ts';
import type { JobwireClient } from '../client/client.ts';
import { chooseDisplay } from './choose-display.ts';
import type { Output } from './display.ts';
import { InterruptedError } from './errors.ts';
import { EXIT, type ExitCode, worst } from './exit-codes.ts';
import { follow, type Outcome } from './follow.ts';

/** What `jobwire watch` is told. */
export interface WatchOptions {
  readonly via: Via;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Watches jobs until all of them are over. Progress goes to standard output; why one has no end, to the other. */
export async function watchJobs(
  client: JobwireClient,
  ids: readonly string[],
  { via, json, signal }: WatchOptions,
): Promise<ExitCode> {
  const unique = [...new Set(ids)];
  const display = chooseDisplay(process.stdout as Output, json, process.env); // standard output is one
  let outcomes: readonly Outcome[];
  try {
    outcomes = await Promise.all(unique.map((id) => follow(client.watchJob(id, { signal, via }), display)));
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    display.close();
    console.error(`\n${stoppedSentence(unique)}`);
    return EXIT.interrupted;
  }
  display.close();
  for (const line of reasonsOf(outcomes)) console.error(line);
  return worst(outcomes.map(({ exitCode }) => exitCode));
}

/** What Ctrl-C has not done, and how to go on. */
export function stoppedSentence(ids: readonly string[]): string {
  const goesOn = ids.length === 1 ? 'The job goes on' : 'The jobs go on';
  return `Stopped watching. ${goesOn}; watch again with: jobwire watch ${ids.join(' ')}`;
}

/** One line a reason: when nobody answers, that is one reason for all jobs. */
function reasonsOf(outcomes: readonly Outcome[]): readonly string[] {
  const byReason = Map.groupBy(
    outcomes.filter(({ reason }) => reason !== undefined),
    ({ reason }) => reason,
  );
  return [...byReason].map(([reason, of]) => `${of.map(({ id }) => id).join(', ')}: ${reason}`);
}
