import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { commandName, type MeasureName, type MeasureOutcome } from './measure.ts';

const PositiveOrZero = v.pipe(v.number(), v.finite());

const FigureSchema = v.object({
  name: v.string(),
  unit: v.string(),
  value: PositiveOrZero,
  spread: v.exactOptional(PositiveOrZero),
  baseline: v.exactOptional(v.object({ name: v.string(), value: PositiveOrZero })),
  ratio: v.exactOptional(PositiveOrZero),
});

const MeasuredSchema = v.object({
  /** When it was measured, ISO 8601. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  /** The machine's line at that moment. */
  machine: v.string(),
  /** What to type for these figures. */
  command: v.string(),
  figures: v.array(FigureSchema),
  ratios: v.record(v.string(), PositiveOrZero),
});

/** The measures that a complete file has, in the order in which they run. */
export const MEASURE_NAMES = [
  'post',
  'publish',
  'latency',
  'connections',
  'coldStart',
  'conflation',
  'processing',
  'telling',
] as const satisfies MeasureName[];

const ResultsSchema = v.object({
  machine: v.string(),
  /** Node's, and those of the packages that figures depend on. */
  versions: v.record(v.string(), v.string()),
  at: v.pipe(v.string(), v.isoTimestamp()),
  command: v.string(),
  /** Whether the loads were those of `--quick`, which say nothing about speed. */
  quick: v.boolean(),
  measures: v.partial(v.object(v.entriesFromList(MEASURE_NAMES, MeasuredSchema))),
});

/** The file of `npm run bench`. `machine`, `at` and `command` are those of the newest run; each measure has its own. */
export type Results = v.InferOutput<typeof ResultsSchema>;

/** A measure in the file. */
export type Measured = v.InferOutput<typeof MeasuredSchema>;

/** The file is there and is not one of ours: it is left as it is. */
export class ResultsFileError extends Error {
  override readonly name = 'ResultsFileError';
}

/** Where results go without `--out`. */
export const RESULTS_FILE = fileURLToPath(new URL('results.json', import.meta.url));

/**
 * The results in a file; undefined if there is none.
 * @throws ResultsFileError for a file of another shape
 */
export async function readResults(file: string): Promise<Results | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const refuse = (why: string, cause?: unknown) =>
    new ResultsFileError(`${file} is not a file of results: ${why}. Remove it, or name another with --out.`, {
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  const parsed = v.safeParse(ResultsSchema, value);
  if (!parsed.success) throw refuse(`${v.getDotPath(parsed.issues[0]) ?? 'it'}: ${parsed.issues[0].message}`);
  return parsed.output;
}

/** What a run adds to a file. */
export interface Run {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly at: Date;
  readonly command: string;
  readonly quick: boolean;
  readonly outcomes: ReadonlyMap<MeasureName, MeasureOutcome>;
}

/** The earlier results with those of a run in place of their own; what was not run stays. */
export function mergeResults(earlier: Results | undefined, run: Run): Results {
  const { machine, command, quick } = run;
  const at = run.at.toISOString();
  const fresh = [...run.outcomes].map(([name, { figures, ratios }]) => [
    name,
    {
      at,
      machine,
      command: `npm run bench -- ${commandName(name)}`,
      figures: figures.map(rounded),
      ratios: Object.fromEntries(Object.entries(ratios).map(([ratio, value]) => [ratio, significant(value)])),
    },
  ]);
  return v.parse(ResultsSchema, {
    machine,
    versions: run.versions,
    at,
    command,
    quick,
    measures: { ...earlier?.measures, ...Object.fromEntries(fresh) },
  });
}

/** Writes the file, one row a line, so that a change shows in a diff. */
export async function writeResults(file: string, results: Results): Promise<void> {
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

/** No measurement here is good for more than four digits. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}

function rounded(figure: MeasureOutcome['figures'][number]): MeasureOutcome['figures'][number] {
  return {
    ...figure,
    value: significant(figure.value),
    ...(figure.spread !== undefined && { spread: significant(figure.spread) }),
    ...(figure.baseline !== undefined && {
      baseline: { name: figure.baseline.name, value: significant(figure.baseline.value) },
    }),
    ...(figure.ratio !== undefined && { ratio: significant(figure.ratio) }),
  };
}
