/** What several rounds of one contestant came to. */
export interface Summary {
  readonly median: number;
  /** Half the distance between the quartiles. */
  readonly spread: number;
  /** In the order of the rounds. */
  readonly values: readonly number[];
}

/** One round of a contestant: everything that it measures, by name. */
export type Round<Metric extends string> = () => Promise<Readonly<Record<Metric, number>>>;

/** How `alternate` runs. */
export interface RoundsSettings {
  readonly rounds: number;
  /** Rounds before those that count, which load code and fill caches; 1 unless given. */
  readonly warmUps?: number;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}

/**
 * Runs the contestants in turn, A B C A B C …, so that a noisy minute of the machine hits all alike, and sums up
 * each one's rounds. Rejects with what a round rejects with, and with the signal's reason between two rounds.
 */
export async function alternate<Name extends string, Metric extends string>(
  contestants: Readonly<Record<Name, Round<Metric>>>,
  settings: RoundsSettings,
): Promise<Readonly<Record<Name, Readonly<Record<Metric, Summary>>>>> {
  const { rounds, warmUps = 1, signal, log } = settings;
  // Keys of an object literal with these names.
  const names = Object.keys(contestants) as Name[];
  const samples = new Map(names.map((name) => [name, [] as Readonly<Record<Metric, number>>[]]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const name of names) {
      signal?.throwIfAborted();
      log?.(round < 0 ? `warming up: ${name}` : `round ${round + 1} of ${rounds}: ${name}`);
      const sample = await contestants[name]();
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  const summaries = names.map((name) => [name, summarizeRounds(samples.get(name) ?? [])]);
  // Made of one entry a name.
  return Object.fromEntries(summaries) as Record<Name, Record<Metric, Summary>>;
}

/** Median and spread of values that need not be sorted. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((one, other) => one - other);
  return {
    median: quantile(sorted, 0.5),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2,
    values,
  };
}

/**
 * The value below which that part of ascending values lies, interpolated between neighbours; NaN of no values.
 */
export function quantile(sorted: readonly number[], part: number): number {
  const position = (sorted.length - 1) * part;
  const lower = sorted[Math.floor(position)] ?? Number.NaN;
  const upper = sorted[Math.ceil(position)] ?? Number.NaN;
  return lower + (upper - lower) * (position - Math.floor(position));
}

function summarizeRounds<Metric extends string>(
  rounds: readonly Readonly<Record<Metric, number>>[],
): Readonly<Record<Metric, Summary>> {
  // Every round measures the same.
  const metrics = Object.keys(rounds[0] ?? {}) as Metric[];
  const entries = metrics.map((metric) => [metric, summarize(rounds.map((round) => round[metric]))]);
  return Object.fromEntries(entries) as Record<Metric, Summary>;
}
