import { billOf, DAYS, processingSection, type Section } from './cost/bill.ts';
import { LONGEST_FUNCTION, type Load, loadOf } from './cost/load.ts';
import { DEFAULT_WAYS, PROCESSING_WAYS, type Ways } from './cost/ways.ts';
import { figureOf, quantity } from './figures.ts';
import type { Figure, MeasureName } from './measure.ts';
import type { Results } from './results.ts';
import { formatNumber } from './table.ts';
import { JOB_CHANGES, JOB_SECONDS, polledEvery } from './told-figures.ts';

/** A way of processing. */
export type ProcessingWay = Ways['processing'];

/** The ways of telling, in words. */
export const TELLING_WAYS = { polled: 'polled every 2 s', WebSocket: 'WebSocket', broker: 'broker' } as const;

/** A way of telling. */
export type TellingWay = keyof typeof TELLING_WAYS;

/** Watchers of one job. */
export const AUDIENCES = [1, 100, 10_000] as const;

/** Between two polls. */
export const POLL_SECONDS = 2;

/** What is said of each way of processing, by the names of the figures. */
export const PROCESSING_FIGURES = [
  'downloads of the object',
  'moved from S3',
  'time to result',
  'time of all functions together',
  'invocations',
  'requests to S3 between steps',
  'state transitions',
] as const;
type ProcessingFigure = (typeof PROCESSING_FIGURES)[number];

/** What is said of each way of telling. */
type ToldFigure = 'last told' | 'requests in the life of a job';

/** What Lambda allows one invocation, in seconds (aws-facts 6). */
const LAMBDA_SECONDS = 900;

/** Jobs that bills are for, a month. */
const JOBS = 1_000_000;

/** The figures of the results that docs/choosing.md shows. */
export const CHOOSING_FIGURES: readonly { readonly measure: MeasureName; readonly figure: string }[] = [
  { measure: 'processing', figure: 'size of the file' },
  ...PROCESSING_WAYS.flatMap((way) =>
    PROCESSING_FIGURES.map((figure) => ({ measure: 'processing' as const, figure: `${way}: ${figure}` })),
  ),
  ...AUDIENCES.flatMap((watchers) => [
    ...(['WebSocket', 'broker'] as const).flatMap((way) =>
      (['last told', 'requests in the life of a job'] as const).map((what) =>
        toldFigure(watchers, way, what),
      ),
    ),
    toldFigure(watchers, 'polled', 'requests in the life of a job'),
    // How long ten thousand wait follows from the interval.
    ...(watchers === 10_000 ? [] : [toldFigure(watchers, 'polled', 'last told')]),
  ]),
];

function toldFigure(watchers: number, way: TellingWay, what: ToldFigure) {
  const name = way === 'polled' ? polledEvery(POLL_SECONDS) : TELLING_WAYS[way];
  return { measure: 'telling' as const, figure: `${watchers} watchers, ${name}: ${what}` };
}

/** What docs/choosing.md needs of the results and the price list. */
export class ChoosingFigures {
  readonly #results: Results;

  constructor(results: Results) {
    this.#results = results;
  }

  /** The file that was processed. */
  size(): Figure {
    return figureOf(this.#results, 'processing', 'size of the file');
  }

  /** What was found of a way of processing. */
  processed(way: ProcessingWay, figure: ProcessingFigure): Figure {
    return figureOf(this.#results, 'processing', `${way}: ${figure}`);
  }

  /** The same in words. */
  processedText(way: ProcessingWay, figure: ProcessingFigure): string {
    const { value, unit } = this.processed(way, figure);
    return quantity(value, unit);
  }

  /** Of the work that was measured, what one function does in its 15 minutes; whole ones. */
  gigabytesOfOneFunction(): number {
    const gigabytes = this.size().value / 1e3;
    return Math.floor((gigabytes * LAMBDA_SECONDS) / this.processed('lambda', 'time to result').value);
  }

  /**
   * The bill of processing a million such files. One function computes alone on a core here, as it does on Lambda; the
   * steps of a workflow share two, so their time on the bill is made of the one function's (bench/cost/workflow.ts).
   */
  processingBill(way: ProcessingWay): Section {
    const jobSeconds = Math.min(
      LONGEST_FUNCTION,
      this.processed('lambda', 'time of all functions together').value,
    );
    const load = loadOf({ jobsPerDay: JOBS / DAYS, payloadMb: this.size().value, jobSeconds });
    return processingSection(load, { ...DEFAULT_WAYS, processing: way });
  }

  /** The dollars of the events of a million uploads. */
  eventDollars(): number {
    const { common } = billOf(loadOf({ jobsPerDay: JOBS / DAYS }));
    return common.items.find(({ meter }) => meter === 'events')?.dollars ?? 0;
  }

  /** What was found of a way of telling. */
  told(watchers: number, way: TellingWay, what: ToldFigure): Figure {
    const { measure, figure } = toldFigure(watchers, way, what);
    return figureOf(this.#results, measure, figure);
  }

  /** Requests in the life of a job, in words. */
  requestsText(watchers: number, way: TellingWay): string {
    return formatNumber(Math.round(this.told(watchers, way, 'requests in the life of a job').value));
  }

  /** Requests for each time that a watcher is told of a change, in words. */
  requestsToldText(watchers: number, way: TellingWay): string {
    const { value } = this.told(watchers, way, 'requests in the life of a job');
    return formatNumber(value / watchers / JOB_CHANGES);
  }

  /** How long the last watcher waits, in words. */
  lastToldText(watchers: number, way: TellingWay): string {
    if (way === 'polled' && watchers === 10_000) return `${POLL_SECONDS} s`;
    const { value, unit } = this.told(watchers, way, 'last told');
    return quantity(value, unit);
  }

  /** The dollars of telling so many watchers of each of a million jobs. */
  tellingDollars(watchers: number, way: TellingWay): number {
    const bill = billOf(tellingLoad(watchers), { ...DEFAULT_WAYS, broadcast: 'iot-core' });
    const sections = { polled: bill.polling, WebSocket: bill.push, broker: bill.broadcast };
    return sections[way]?.dollars ?? 0;
  }
}

/** The job that telling is measured with, a million times a month. */
export function tellingLoad(watchers: number): Load {
  return loadOf({
    jobsPerDay: JOBS / DAYS,
    watchers,
    uploadSeconds: 0,
    jobSeconds: JOB_SECONDS,
    updates: JOB_CHANGES,
    pollSeconds: POLL_SECONDS,
  });
}
