/** The measures of `npm run bench`, as the results file names them. */
export type MeasureName =
  | 'post'
  | 'publish'
  | 'latency'
  | 'connections'
  | 'coldStart'
  | 'conflation'
  | 'processing'
  | 'telling';

/** One measure of `npm run bench`. */
export interface Measure {
  readonly name: MeasureName;
  /** One line for the help. */
  readonly summary: string;
  /**
   * Runs it, and ends whatever it started, also when it fails.
   * @throws InvariantError when something did not arrive, arrived twice, or was refused: then there is no figure.
   */
  run(settings: MeasureSettings): Promise<MeasureOutcome>;
}

/** How a measure is to run. */
export interface MeasureSettings {
  /** A tiny load, at most five seconds: proves that the measure runs and that its invariants hold, no more. */
  readonly quick: boolean;
  /** Aborted by Ctrl-C; `alternate` looks at it between two rounds, a long round should too. */
  readonly signal: AbortSignal;
  /** A line of progress. */
  readonly log: (line: string) => void;
}

/** What a measure found. */
export interface MeasureOutcome {
  /** Rows of the printed table, each beside its baseline of the same run. */
  readonly figures: readonly Figure[];
  /** The ratios that matter, plain numbers: `measures.<name>.ratios` in the file. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** A row of the table. */
export interface Figure {
  readonly name: string;
  /** Such as `ms`, `µs`, `posts/s`, `KB`; empty for a bare number. */
  readonly unit: string;
  /** The median of the rounds. */
  readonly value: number;
  /** Half the distance between the quartiles of the rounds, in the same unit. */
  readonly spread?: number;
  /** What it is held against, in the same unit and from the same run. */
  readonly baseline?: { readonly name: string; readonly value: number };
  /** Value divided by baseline, or the other way round where more is better: the name says which. */
  readonly ratio?: number;
}

/** What was measured is not what was meant to be: a message lost, doubled, or refused. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws InvariantError with the text unless `holds`. */
export function requireInvariant(holds: boolean, text: string): asserts holds {
  if (!holds) throw new InvariantError(text);
}

/** The measure's name on the command line: `coldStart` is `cold-start` there. */
export function commandName(name: MeasureName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
