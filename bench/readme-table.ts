import { figureOf, machinesOf, quantity } from './figures.ts';
import { commandName, type MeasureName } from './measure.ts';
import { MEASURE_NAMES, type Results } from './results.ts';

/** A row of the README: a figure of a measure, in words for somebody who has not read the rest. */
interface Row {
  readonly measure: MeasureName;
  readonly words: string;
  /** The figure's name in the results file. */
  readonly figure: string;
  /** The baseline's name, where the figure stands in the file beside several. */
  readonly beside?: string;
}

/** The rows of the README, in their order. */
export const ROWS: readonly Row[] = [
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
    words: 'frames that a watcher gets of 10,000 writes on one job, as fast as they are taken',
    figure: 'frames of the watcher with the most, of 100',
  },
  {
    measure: 'processing',
    words: 'downloads of a file of 1 GB by a workflow, with a shared file system',
    figure: 'step-functions-efs: downloads of the object',
  },
  {
    measure: 'telling',
    words: 'requests that tell 10,000 watchers of a job of 60 seconds and 20 changes, by a broker',
    figure: '10000 watchers, broker: requests in the life of a job',
  },
];

/**
 * The table of the README: a row a figure, each beside its baseline and with the command that measures it.
 * @throws MissingFigureError where the results lack a figure
 */
export function measuredTable(results: Results): string {
  const rows = ROWS.map(({ measure, words, figure, beside }) => {
    const { value, unit, baseline } = figureOf(results, measure, figure, beside);
    const theirs = baseline === undefined ? '' : `${quantity(baseline.value, unit)} (${baseline.name})`;
    return `| ${words} | ${quantity(value, unit)} | ${theirs} | \`npm run bench -- ${commandName(measure)}\` |`;
  });
  return [
    `On ${machinesOf(results, MEASURE_NAMES)} (\`bench/results.json\`, ${results.at.slice(0, 10)}), each beside its baseline of the same run:`,
    '',
    '| what | here | beside it | command |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
