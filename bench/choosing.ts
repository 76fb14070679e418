import {
  AUDIENCES,
  ChoosingFigures,
  POLL_SECONDS,
  PROCESSING_FIGURES,
  type ProcessingWay,
  TELLING_WAYS,
  type TellingWay,
  tellingLoad,
} from './choosing-figures.ts';
import { heardOf } from './cost/bill.ts';
import { money } from './cost/print.ts';
import { PROCESSING_WAYS } from './cost/ways.ts';
import { machinesOf, quantity } from './figures.ts';
import type { MeasureName } from './measure.ts';
import type { Results } from './results.ts';
import { markdown } from './scale/markdown.ts';
import { formatNumber } from './table.ts';
import { JOB_CHANGES, JOB_SECONDS } from './told-figures.ts';

/** The figures do not bear out what docs/choosing.md makes of them; the message says what. */
export class ContradictedError extends Error {
  override readonly name = 'ContradictedError';
}

/** A crowd, and an audience that is none. */
const CROWD = 10_000;
const SOME = 100;

/**
 * What docs/choosing.md says of measures and prices, place by place: the table of what to choose, what follows,
 * processing, telling.
 * @throws MissingFigureError where the results lack a figure; ContradictedError where they do not bear it out
 */
export function choosingParts(results: Results): readonly string[] {
  const figures = new ChoosingFigures(results);
  requireBorneOut(figures);
  return [
    choicesTable(figures),
    conclusions(figures),
    processingTable(figures, results),
    tellingTable(figures, results),
  ];
}

function choicesTable(figures: ChoosingFigures): string {
  const processing = (way: ProcessingWay, take: string) => [
    'processing',
    `\`${way}\``,
    `downloads: ${figures.processedText(way, 'downloads of the object')}, ${figures.processedText(way, 'moved from S3')}; result after ${figures.processedText(way, 'time to result')}`,
    money(figures.processingBill(way).dollars),
    take,
  ];
  const each = (text: (watchers: number) => string) => AUDIENCES.map(text).join(' / ');
  const telling = (way: TellingWay, setting: string, take: string) => [
    'telling',
    setting,
    `${each((watchers) => figures.requestsText(watchers, way))} requests; the last is told after ${each((watchers) => figures.lastToldText(watchers, way))}`,
    each((watchers) => money(figures.tellingDollars(watchers, way))),
    take,
  ];
  const other = (part: string, setting: string, dollars: string, take: string) => {
    return [part, setting, '', dollars, take];
  };
  const events = money(figures.eventDollars());
  const gigabytes = formatNumber(figures.gigabytesOfOneFunction());
  return markdown(
    ['part', 'setting', 'measured', 'a million jobs', 'take it'],
    [
      other('upload', '`put`', '', 'by default, up to 100 MB: one request of the exact size'),
      other('upload', '`post`', '', 'where an HTML form sends the file'),
      other('upload', '`multipart`', '', 'above 100 MB (the client does by itself): it resumes part by part'),
      other('upload events', '`eventbridge`', events, 'by default: what cannot be handed over is kept'),
      other('upload events', '`s3-notifications`', money(0), 'where EventBridge is one service too many'),
      processing('lambda', `by default: as long as one function is done in 15 minutes, here ${gigabytes} GB`),
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

function processingTable(figures: ChoosingFigures, results: Results): string {
  const { value, unit } = figures.size();
  const rows = PROCESSING_FIGURES.map((figure) => [
    figure,
    ...PROCESSING_WAYS.map((way) => figures.processedText(way, figure)),
  ]);
  const bills = PROCESSING_WAYS.map((way) => money(figures.processingBill(way).dollars));
  return [
    `${sourceOf(results, 'processing')}, a file of ${quantity(value, unit)}; the result is the same to the byte. Ranges of a workflow share two cores here and have one each on Lambda, so times of the two workflows say what steps add, not how fast Lambda is.`,
    '',
    markdown(
      ['', ...PROCESSING_WAYS.map((way) => `\`${way}\``)],
      [...rows, ['a million such jobs', ...bills]],
    ),
  ].join('\n');
}

function tellingTable(figures: ChoosingFigures, results: Results): string {
  const ways = Object.keys(TELLING_WAYS) as TellingWay[]; // keys of a const table
  const rows = AUDIENCES.flatMap((watchers) =>
    ways.map((way) => [
      formatNumber(watchers),
      TELLING_WAYS[way],
      figures.requestsText(watchers, way),
      figures.requestsToldText(watchers, way),
      figures.lastToldText(watchers, way),
      money(figures.tellingDollars(watchers, way)),
    ]),
  );
  const { heard, states } = heardOf(tellingLoad(CROWD));
  return [
    `${sourceOf(results, 'telling')}. A job of ${JOB_SECONDS} seconds and ${JOB_CHANGES} changes; requests are posts or publications and what is asked of DynamoDB, or polls. Pushed changes count from the invocation of \`publish\`, polled ones from their commit. Polls of ${formatNumber(CROWD)} are counted, not made. A bill is for a million such jobs a month: at the default \`postsPerSecond\`, each of ${formatNumber(CROWD)} watchers is then told ${heard} of ${states} states by WebSocket and asks for others, and all of them by a broker.`,
    '',
    markdown(
      [
        'watchers of one job',
        'told by',
        'requests in its life',
        'for each watcher told of a change',
        'the last is told after',
        'a million such jobs',
      ],
      rows,
    ),
  ].join('\n');
}

function conclusions(figures: ChoosingFigures): string {
  const bill = (way: ProcessingWay) => money(figures.processingBill(way).dollars);
  const tellingBill = (way: TellingWay) => money(figures.tellingDollars(SOME, way));
  const downloads = figures.processedText('step-functions', 'downloads of the object');
  return [
    `- **One function, as long as it lasts.** It profiled a gigabyte in ${figures.processedText('lambda', 'time to result')}, so 15 minutes are some ${formatNumber(figures.gigabytesOfOneFunction())} GB of this work. A workflow fetched the object ${downloads} times instead of once and made ${figures.processedText('step-functions', 'state transitions')} state transitions: ${bill('step-functions')} instead of ${bill('lambda')} for a million such jobs. What it is for is time: ranges side by side, each with its own 15 minutes.`,
    `- **A shared file system does not save money.** It had the object fetched once, where the other workflow made ${downloads} requests of S3; all requests to read from S3 are ${money(readDollars(figures))} for a million jobs, and what is moved within a Region is free. Writing the gigabyte to EFS and reading it twice is ${money(fileDollars(figures))}. Take it for what only a file can do.`,
    `- **Up to some thousands of watchers, WebSocket.** A hundred are told in ${figures.lastToldText(SOME, 'WebSocket')} by ${figures.requestsText(SOME, 'WebSocket')} requests in a job's life; polling every ${POLL_SECONDS} s makes ${figures.requestsText(SOME, 'polled')}, and the last hears after ${figures.lastToldText(SOME, 'polled')}.`,
    `- **A broker for the crowd, for its speed and the account's quota.** ${formatNumber(CROWD)} watchers are ${figures.requestsText(CROWD, 'broker')} requests in a job's life, as one watcher is, instead of ${figures.requestsText(CROWD, 'WebSocket')}; the last is told after ${figures.lastToldText(CROWD, 'broker')} instead of ${figures.lastToldText(CROWD, 'WebSocket')}. It is not the cheaper one for the same states: ${tellingBill('broker')} instead of ${tellingBill('WebSocket')} for a million jobs with a hundred watchers, because each message is metered, and its acknowledgement, too.`,
  ].join('\n');
}

/** Whatever the sentences around the figures say. @throws ContradictedError for what the figures do not say */
function requireBorneOut(figures: ChoosingFigures): void {
  const dollars = (way: ProcessingWay) => figures.processingBill(way).dollars;
  const requests = (watchers: number, way: TellingWay) =>
    figures.told(watchers, way, 'requests in the life of a job').value;
  const lastTold = (watchers: number, way: TellingWay) => figures.told(watchers, way, 'last told').value;
  const claims = {
    'one function is cheaper than a workflow': dollars('lambda') < dollars('step-functions'),
    'a shared file system costs more than the downloads it saves':
      fileDollars(figures) > readDollars(figures),
    'a hundred watchers are better told by WebSocket than by polling':
      requests(SOME, 'WebSocket') < requests(SOME, 'polled') &&
      lastTold(SOME, 'WebSocket') < lastTold(SOME, 'polled'),
    'a broker takes as many requests for a crowd as for one watcher':
      requests(CROWD, 'broker') === requests(1, 'broker'),
    'a broker tells a crowd sooner': lastTold(CROWD, 'broker') < lastTold(CROWD, 'WebSocket'),
    'a broker is not the cheaper way for a hundred watchers':
      figures.tellingDollars(SOME, 'broker') > figures.tellingDollars(SOME, 'WebSocket'),
  };
  for (const [claim, holds] of Object.entries(claims)) {
    if (holds) continue;
    throw new ContradictedError(
      `docs/choosing.md says that ${claim}, and the figures do not: measure again, or conclude anew in bench/choosing.ts`,
    );
  }
}

function fileDollars(figures: ChoosingFigures): number {
  const files = figures
    .processingBill('step-functions-efs')
    .items.filter(({ meter }) => meter.startsWith('file'));
  return files.reduce((sum, item) => sum + item.dollars, 0);
}

function readDollars(figures: ChoosingFigures): number {
  const { items } = figures.processingBill('step-functions');
  return items.find(({ meter }) => meter === 'objectReads')?.dollars ?? 0;
}

function sourceOf(results: Results, measure: MeasureName): string {
  const at = results.measures[measure]?.at.slice(0, 10);
  return `On ${machinesOf(results, [measure])} (\`npm run bench -- ${measure}\`, ${at})`;
}
