import { commandName, type MeasureName } from './measure.ts';
import type { Results } from './results.ts';
import { formatNumber } from './table.ts';

/** A row of the README: a figure of a measure, in words for somebody who has not read the rest. */
interface Row {
  readonly measure: MeasureName;
  readonly words: string;
  /** The figure's name in the results file. */
  readonly figure: string;
  /** The baseline's name, where the figure stands in the file beside several. */
  readonly beside?: string;
}

const ROWS: readonly Row[] = [
  {
    measure: 'post',
    words: 'processor time to post one frame',
    figure: 'processor time a post',
    beside: 'SDK, Promise.all',
  },
  {
    measure: 'publish',
    words: 'a change told to 10,000 watchers',
    figure: 'one change, 10000 watchers, unpaced',
  },
  {
    measure: 'latency',
    words: 'commit to frame at 100 changes a second, median',
    figure: 'pushed, 100 changes/s: p50',
  },
  {
    measure: 'latency',
    words: 'commit to frame at 100 changes a second, 99 of 100',
    figure: 'pushed, 100 changes/s: p99',
  },
  {
    measure: 'connections',
    words: 'memory of a connection of the local gateway',
    figure: 'memory of a connection, resident',
  },
  {
    measure: 'coldStart',
    words: 'processor time to load the publish function',
    figure: 'publish: load',
  },
  {
    measure: 'conflation',
    words: 'frames that a watcher gets of 10,000 writes on one job in ten seconds',
    figure: 'frames of the watcher with the most, of 100',
  },
];

/** The README and the results do not fit together; the message says where. */
export class ReadmeError extends Error {
  override readonly name = 'ReadmeError';
}

const BEGIN = '<!-- measured: written by npm run bench -- --readme -->';
const END = '<!-- end of measured -->';

/**
 * The README with the figures of the results between its two marks, each with the command that measures it.
 * Measures that the results lack are left out.
 * @throws ReadmeError when a mark, or the figure of a row, is missing
 */
export function withMeasuredTable(readme: string, results: Results): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new ReadmeError(`README.md needs ${BEGIN} and, below it, ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${renderMeasured(results)}\n${readme.slice(end)}`;
}

function renderMeasured(results: Results): string {
  const rows = ROWS.flatMap((row) => {
    const measured = results.measures[row.measure];
    if (measured === undefined) return [];
    const figure = measured.figures.find(
      ({ name, baseline }) => name === row.figure && (row.beside ?? baseline?.name) === baseline?.name,
    );
    if (figure === undefined)
      throw new ReadmeError(`The results of ${row.measure} have no figure "${row.figure}"`);
    const { value, unit, baseline } = figure;
    const quantity = (number: number) => `${formatNumber(number)} ${unit}`.trimEnd();
    const beside = baseline === undefined ? '' : `${quantity(baseline.value)} (${baseline.name})`;
    const command = `\`npm run bench -- ${commandName(row.measure)}\``;
    return [`| ${row.words} | ${quantity(value)} | ${beside} | ${command} |`];
  });
  // What the machine had to do beside is of that minute.
  const machines = Object.values(results.measures).flatMap(
    (measured) => measured?.machine.split(', load')[0] ?? [],
  );
  return [
    `On ${[...new Set(machines)].join('; ')} (\`bench/results.json\`, ${results.at.slice(0, 10)}), each beside its baseline of the same run:`,
    '',
    '| what | here | beside it | command |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
