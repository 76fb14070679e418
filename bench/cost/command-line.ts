import { parseArgs } from 'node:util';
import { DEFAULT_LOAD, LOAD_OPTIONS, LONGEST_FUNCTION, type Load, LoadError, loadOf } from './load.ts';
import { REGION } from './prices.ts';
import { BROADCAST_WAYS, DEFAULT_WAYS, PROCESSING_WAYS, type Ways } from './ways.ts';

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'bill'; readonly load: Load; readonly ways: Ways; readonly json: boolean }
  /** The tables of docs/scale.md; with `write` they are put into it. */
  | { readonly kind: 'scale'; readonly write: boolean };

const NAMES = Object.keys(LOAD_OPTIONS) as (keyof Load)[]; // keys of a Record<keyof Load, …>

/** Reads the arguments behind `npm run cost --`; never throws. */
export function readCommandLine(args: readonly string[]): Request {
  const [first, ...rest] = args;
  if (first === 'scale') {
    if (rest.every((argument) => argument === '--write')) return { kind: 'scale', write: rest.length > 0 };
    return { kind: 'refused', problem: 'scale takes --write and nothing else' };
  }
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { kind: 'refused', problem: error instanceof Error ? error.message : String(error) };
  }
  if (values['help'] === true) return { kind: 'help', text: help() };
  if (values['region'] !== undefined && values['region'] !== REGION) {
    return { kind: 'refused', problem: `There are prices of ${REGION} only (bench/cost/prices.ts)` };
  }
  const said: Partial<Record<keyof Load, number>> = {};
  for (const name of NAMES) {
    const text = values[LOAD_OPTIONS[name].flag];
    // Number('') is 0: an empty word is no number.
    if (typeof text === 'string') said[name] = text.trim() === '' ? Number.NaN : Number(text);
  }
  try {
    const ways = {
      processing: oneOf(PROCESSING_WAYS, 'processing', values['processing']) ?? DEFAULT_WAYS.processing,
      broadcast: oneOf(BROADCAST_WAYS, 'broadcast', values['broadcast']) ?? DEFAULT_WAYS.broadcast,
    };
    const load = loadOf(said);
    if (ways.processing === 'lambda' && load.jobSeconds > LONGEST_FUNCTION) {
      throw new LoadError(
        `--job-seconds must be at most ${LONGEST_FUNCTION} with --processing lambda: divide longer work by a workflow`,
      );
    }
    return { kind: 'bill', load, ways, json: values['json'] === true };
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return { kind: 'refused', problem: error.message };
  }
}

/** @throws LoadError for a word that is none of them. */
function oneOf<Word extends string>(words: readonly Word[], flag: string, said: unknown): Word | undefined {
  const found = words.find((word) => word === said);
  if (found === undefined && said !== undefined) {
    throw new LoadError(`--${flag} must be ${words.join(' or ')}, not ${said}`);
  }
  return found;
}

function parse(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const numbers = Object.fromEntries(
    NAMES.map((name) => [LOAD_OPTIONS[name].flag, { type: 'string' }] as const),
  );
  return parseArgs({
    args: [...args],
    options: {
      ...numbers,
      processing: { type: 'string' },
      broadcast: { type: 'string' },
      region: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}

function help(): string {
  const lines = NAMES.map((name): readonly [string, string] => {
    const { flag, help: text, minimum, maximum } = LOAD_OPTIONS[name];
    const standard =
      name === 'watchMinutes'
        ? ''
        : ` (default ${grouped(DEFAULT_LOAD[name])}; ${grouped(minimum)} to ${grouped(maximum)})`;
    return [`--${flag} <number>`, `${text}${standard}`];
  });
  const options: readonly (readonly [string, string])[] = [
    ...lines,
    [`--processing <way>`, `${PROCESSING_WAYS.join(', ')} (default ${DEFAULT_WAYS.processing})`],
    [`--broadcast <way>`, `${BROADCAST_WAYS.join(', ')} (default ${DEFAULT_WAYS.broadcast})`],
    ['--region <name>', `${REGION}, the only one that there are prices of`],
    ['--json', 'print the bill as JSON'],
    ['--help', 'print this'],
  ];
  const width = Math.max(...options.map(([flag]) => flag.length));
  return `Prints what a month of Jobwire costs: pushed to its watchers, polled by them, and told by a broker.

Usage: npm run cost -- --jobs-per-day 100000 --watchers 3 --updates 20
       npm run cost -- scale [--write]     the tables of docs/scale.md; with --write, into it

${options.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`).join('\n')}`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}
