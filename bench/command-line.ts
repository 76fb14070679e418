import path from 'node:path';
import { parseArgs } from 'node:util';
import { commandName, type Measure } from './measure.ts';
import { RESULTS_FILE } from './results.ts';

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'readme' }
  | {
      readonly kind: 'run';
      readonly measures: readonly Measure[];
      readonly quick: boolean;
      /** Absolute path of the results file; undefined where none is written. */
      readonly file: string | undefined;
      /** What to type for the same figures, wherever they are to go. */
      readonly command: string;
    };

/** Reads the arguments behind `npm run bench --`; never throws. */
export function readCommandLine(args: readonly string[], known: readonly Measure[]): Request {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return { kind: 'refused', problem: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help', text: help(known) };
  if (values.readme) return { kind: 'readme' };
  const names = known.map(({ name }) => commandName(name));
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    return {
      kind: 'refused',
      problem: `There is no measure ${unknown.join(', ')}: choose of ${names.join(', ')}`,
    };
  }
  if (values.out === '') return { kind: 'refused', problem: '--out needs the path of a file' };
  const measures =
    positionals.length === 0 ? known : known.filter(({ name }) => positionals.includes(commandName(name)));
  const asked = [...positionals, ...(values.quick ? ['--quick'] : [])];
  const file = values.out ?? (values.quick ? undefined : RESULTS_FILE);
  return {
    kind: 'run',
    measures,
    quick: values.quick,
    file: file === undefined ? undefined : path.resolve(file),
    command: ['npm run bench', ...(asked.length === 0 ? [] : ['--', ...asked])].join(' '),
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      readme: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}

function help(known: readonly Measure[]): string {
  const names = known.map(({ name }) => commandName(name));
  const width = Math.max(...names.map(({ length }) => length), '--out <file>'.length);
  const line = (name: string, text: string) => `  ${name.padEnd(width)}  ${text}`;
  return `Measures Jobwire on this machine, each figure beside its baseline in the same run.

Usage: npm run bench -- [measure …] [options]

Measures (all of them unless some are named):
${known.map(({ name, summary }) => line(commandName(name), summary)).join('\n')}

Options:
${line('--quick', 'tiny loads: proves that the measures run, says nothing of speed, writes no file unless --out is given')}
${line('--out <file>', 'where results go (default bench/results.json); measures that are not run keep theirs')}
${line('--readme', 'measures nothing: writes the figures of bench/results.json into README.md, docs/choosing.md and docs/scale.md')}
${line('--help', 'print this')}`;
}
