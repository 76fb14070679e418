import { billOf, DAYS, heardOf, processingSection } from './cost/bill.ts';
import { type Load, loadOf } from './cost/load.ts';
import { money } from './cost/print.ts';
import { DEFAULT_WAYS, PROCESSING_WAYS, type Ways } from './cost/ways.ts';
import { figureOf, machinesOf, quantity } from './figures.ts';
import type { MeasureName } from './measure.ts';
import type { Results } from './results.ts';
import { markdown } from './scale/markdown.ts';
import { formatNumber } from './table.ts';
import { JOB_CHANGES, JOB_SECONDS, polledEvery } from './told-figures.ts';

type ProcessingWay = Ways['processing'];

/** The ways of telling, as the measure calls them, and the setting that each is. */
const TELLING_WAYS = { polled: 'polled every 2 s', WebSocket: 'WebSocket', broker: 'broker' } as const;
type TellingWay = keyof typeof TELLING_WAYS;

/** Watchers of one job. */
const AUDIENCES = [1, 100, 10_000] as const;
const POLL_SECONDS = 2;

/** What the tables say of each way of processing, by the names of the figures. */
const PROCESSING_FIGURES = [
  'downloads of the object',
  'moved from S3',
  'time to result',
  'time of all functions together',
  'invocations',
  'requests to S3 between steps',
  'state transitions',
] as const;
type ProcessingFigure = (typeof PROCESSING_FIGURES)[number];

/** What Lambda allows one invocation, in seconds (aws-facts 6). */
const LAMBDA_SECONDS = 900;

/** Jobs that bills are for. */
const JOBS = 1_000_000;

/** The figures of the results that docs/choosing.md shows. */
export const CHOOSING_FIGURES: readonly { readonly measure: MeasureName; readonly figure: string }[] = [
  { measure: 'processing', figure: 'size of the file' },
  ...PROCESSING_WAYS.flatMap((way) =>
    PROCESSING_FIGURES.map((figure) => ({ measure: 'processing' as const, figure: `${way}: ${figure}` })),
  ),
  ...AUDIENCES.flatMap((watchers) => [
    ...(['WebSocket', 'broker'] as const).flatMap((way) =>
      ['last told', 'requests in the life of a job'].map((what) => toldFigure(watchers, way, what)),
    ),
    toldFigure(watchers, 'polled', 'requests in the life of a job'),
    // How long ten thousand wait follows from the interval.
    ...(watchers === 10_000 ? [] : [toldFigure(watchers, 'polled', 'last told')]),
  ]),
];

function toldFigure(watchers: number, way: TellingWay, what: string) {
  const name = way === 'polled' ? polledEvery(POLL_SECONDS) : TELLING_WAYS[way];
  return { measure: 'telling' as const, figure: `${watchers} watchers, ${name}: ${what}` };
}

/**
 * What docs/choosing.md says of measures and prices, place by place: the table of what to choose, what follows,
 * processing, telling.
 * @throws MissingFigureError where the results lack a figure
 */
export function choosingParts(results: Results): readonly string[] {
  const found = new Choosing(results);
  return [found.table(), found.conclusions(), found.processing(), found.telling()];
}

class Choosing {
  readonly #results: Results;

  constructor(results: Results) {
    this.#results = results;
  }

  table(): string {
    const gigabytes = formatNumber(this.#gigabytesOfOneFunction());
    const processing = (way: ProcessingWay, take: string) => [
      'processing',
      `\`${way}\``,
      `downloads: ${this.#shown(way, 'downloads of the object')}, ${this.#shown(way, 'moved from S3')}; result after ${this.#shown(way, 'time to result')}`,
      money(this.#processingDollars(way)),
      take,
    ];
    const telling = (way: TellingWay, setting: string, take: string) => [
      'telling',
      setting,
      `${AUDIENCES.map((watchers) => this.#requests(watchers, way)).join(' / ')} requests; the last is told after ${AUDIENCES.map((watchers) => this.#lastTold(watchers, way)).join(' / ')}`,
      AUDIENCES.map((watchers) => this.#tellingDollars(watchers, way)).join(' / '),
      take,
    ];
    return markdown(
      ['part', 'setting', 'measured', 'a million jobs', 'take it'],
      [
        ['upload', '`put`', '', '', 'by default, up to 100 MB: one request of the exact size'],
        ['upload', '`post`', '', '', 'where an HTML form sends the file'],
        [
          'upload',
          '`multipart`',
          '',
          '',
          'above 100 MB (the client does by itself): it resumes part by part',
        ],
        [
          'upload events',
          '`eventbridge`',
          '',
          money(this.#eventDollars()),
          'by default: what cannot be handed over is kept',
        ],
        ['upload events', '`s3-notifications`', '', money(0), 'where EventBridge is one service too many'],
        processing(
          'lambda',
          `by default: as long as one function is done within 15 minutes, here ${gigabytes} GB`,
        ),
        processing('step-functions', 'for more than that, or where steps are to be retried one by one'),
        processing(
          'step-functions-efs',
          'where steps need the file as a file: seek in it, or give its path to a program',
        ),
        telling(
          'polled',
          'polling',
          'where WebSockets are blocked (the client does by itself), or nobody waits',
        ),
        telling('WebSocket', '`websocket`', 'by default, up to some thousands who watch one job'),
        telling('broker', '`broadcast=iot-core`', 'for one job with more watchers than that'),
      ],
    );
  }

  processing(): string {
    const { unit, value } = figureOf(this.#results, 'processing', 'size of the file');
    const rows = PROCESSING_FIGURES.map((figure) => [
      figure,
      ...PROCESSING_WAYS.map((way) => this.#shown(way, figure)),
    ]);
    const bills = [
      'a million such jobs',
      ...PROCESSING_WAYS.map((way) => money(this.#processingDollars(way))),
    ];
    return [
      `${this.#source('processing')}, a file of ${quantity(value, unit)}; the result is the same to the byte. Ranges of a workflow share two cores here and have one each on Lambda, so times of the two workflows say what steps add, not how fast Lambda is.`,
      '',
      markdown(['', ...PROCESSING_WAYS.map((way) => `\`${way}\``)], [...rows, bills]),
    ].join('\n');
  }

  telling(): string {
    const rows = AUDIENCES.flatMap((watchers) =>
      (Object.keys(TELLING_WAYS) as TellingWay[]).map((way) => [
        formatNumber(watchers),
        TELLING_WAYS[way],
        this.#requests(watchers, way),
        this.#lastTold(watchers, way),
        this.#tellingDollars(watchers, way),
      ]),
    );
    const load = tellingLoad(10_000);
    const { heard, states } = heardOf(load);
    return [
      `${this.#source('telling')}. A job of ${JOB_SECONDS} seconds and ${JOB_CHANGES} changes; requests are posts or publications and what is asked of DynamoDB, or polls. Pushed changes count from the invocation of \`publish\`, polled ones from their commit. Polls of 10,000 are counted, not made. A bill is for a million such jobs a month: at the default \`postsPerSecond\`, each of 10,000 watchers is then told ${heard} of ${states} states by WebSocket and asks for others, and all of them by a broker.`,
      '',
      markdown(
        [
          'watchers of one job',
          'told by',
          'requests in its life',
          'the last is told after',
          'a million such jobs',
        ],
        rows,
      ),
    ].join('\n');
  }

  conclusions(): string {
    const dollars = (way: ProcessingWay) => this.#processingDollars(way);
    const files = this.#processing('step-functions-efs').items.filter(({ meter }) =>
      meter.startsWith('file'),
    );
    const fileDollars = files.reduce((sum, item) => sum + item.dollars, 0);
    const downloads = this.#value('step-functions', 'downloads of the object');
    const reads = (way: ProcessingWay) =>
      this.#processing(way).items.find(({ meter }) => meter === 'objectReads')?.dollars ?? 0;
    const most = 10_000;
    return [
      `- **One function, as long as it lasts.** It profiled a gigabyte in ${this.#shown('lambda', 'time to result')}, so 15 minutes are some ${formatNumber(this.#gigabytesOfOneFunction())} GB of this work. A workflow fetched the object ${formatNumber(downloads)} times instead of once and made ${this.#shown('step-functions', 'state transitions')} state transitions: ${money(dollars('step-functions'))} instead of ${money(dollars('lambda'))} for a million such jobs. What it buys is time: ranges side by side, each with its own 15 minutes.`,
      `- **A shared file system does not save money.** It fetched the object once, where the other workflow made ${formatNumber(downloads)} requests of S3; all requests to read from S3 are ${money(reads('step-functions'))} for a million jobs, and what is moved within a Region is free. Writing the gigabyte to EFS and reading it twice is ${money(fileDollars)}. Take it for what only a file can do.`,
      `- **Up to some thousands of watchers, WebSocket.** A hundred are told in ${this.#lastTold(100, 'WebSocket')} by ${this.#requests(100, 'WebSocket')} requests in a job's life; polling every ${POLL_SECONDS} s makes ${this.#requests(100, 'polled')}, and the last hears after ${this.#lastTold(100, 'polled')}.`,
      `- **A broker for the crowd, for its speed and the account's quota.** ${formatNumber(most)} watchers are ${this.#requests(most, 'broker')} requests in a job's life, as one watcher is, instead of ${this.#requests(most, 'WebSocket')}; the last is told after ${this.#lastTold(most, 'broker')} instead of ${this.#lastTold(most, 'WebSocket')}. It is not the cheaper one for the same states: ${this.#tellingDollars(100, 'broker')} instead of ${this.#tellingDollars(100, 'WebSocket')} for a million jobs with a hundred watchers, because each message is metered, and its acknowledgement, too.`,
    ].join('\n');
  }

  #source(measure: MeasureName): string {
    const measured = this.#results.measures[measure];
    return `On ${machinesOf(this.#results, [measure])} (\`npm run bench -- ${measure}\`, ${measured?.at.slice(0, 10)})`;
  }

  #value(way: ProcessingWay, figure: ProcessingFigure): number {
    return figureOf(this.#results, 'processing', `${way}: ${figure}`).value;
  }

  #shown(way: ProcessingWay, figure: ProcessingFigure): string {
    const { value, unit } = figureOf(this.#results, 'processing', `${way}: ${figure}`);
    return quantity(value, unit);
  }

  /** As many as it takes 15 minutes for. */
  #gigabytesOfOneFunction(): number {
    const gigabytes = figureOf(this.#results, 'processing', 'size of the file').value / 1e3;
    return Math.floor((gigabytes * LAMBDA_SECONDS) / this.#value('lambda', 'time to result'));
  }

  #processing(way: ProcessingWay) {
    const { value: payloadMb } = figureOf(this.#results, 'processing', 'size of the file');
    const jobSeconds = Math.min(890, this.#value('lambda', 'time of all functions together'));
    const load = loadOf({ jobsPerDay: JOBS / DAYS, payloadMb, jobSeconds, updates: 10 });
    return processingSection(load, { ...DEFAULT_WAYS, processing: way });
  }

  #processingDollars(way: ProcessingWay): number {
    return this.#processing(way).dollars;
  }

  #eventDollars(): number {
    const { common } = billOf(loadOf({ jobsPerDay: JOBS / DAYS }));
    return common.items.find(({ meter }) => meter === 'events')?.dollars ?? 0;
  }

  #requests(watchers: number, way: TellingWay): string {
    const { measure, figure } = toldFigure(watchers, way, 'requests in the life of a job');
    return formatNumber(Math.round(figureOf(this.#results, measure, figure).value));
  }

  #lastTold(watchers: number, way: TellingWay): string {
    if (way === 'polled' && watchers === 10_000) return `${POLL_SECONDS} s`;
    const { measure, figure } = toldFigure(watchers, way, 'last told');
    const { value, unit } = figureOf(this.#results, measure, figure);
    return quantity(value, unit);
  }

  #tellingDollars(watchers: number, way: TellingWay): string {
    const bill = billOf(tellingLoad(watchers), { ...DEFAULT_WAYS, broadcast: 'iot-core' });
    const sections = { polled: bill.polling, WebSocket: bill.push, broker: bill.broadcast };
    return money(sections[way]?.dollars ?? 0);
  }
}

/** The job that telling is measured with, a million times a month. */
function tellingLoad(watchers: number): Load {
  return loadOf({
    jobsPerDay: JOBS / DAYS,
    watchers,
    uploadSeconds: 0,
    jobSeconds: JOB_SECONDS,
    updates: JOB_CHANGES,
    pollSeconds: POLL_SECONDS,
  });
}
