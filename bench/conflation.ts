import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { CreatedJobSchema } from '../protocol/http.ts';
import { parse } from '../protocol/invalid.ts';
import { type LocalRuntime, startLocalRuntime } from './local-runtime.ts';
import { type Measure, type MeasureSettings, requireInvariant } from './measure.ts';
import { ProgressWriter } from './progress-writer.ts';
import { alternate, type Summary } from './rounds.ts';
import { countStreamRecords } from './stream-records.ts';

/** How much is written, in how many seconds if the machine can, and for how many watchers. */
interface Load {
  readonly writes: number;
  readonly seconds: number;
  readonly watchers: number;
  readonly rounds: number;
}

/** A thousand writes a second: as many as one key of a table takes on AWS. */
const FULL: Load = { writes: 10_000, seconds: 10, watchers: 100, rounds: 3 };
const QUICK: Load = { writes: 300, seconds: 0.3, watchers: 3, rounds: 1 };

/** Writes under way at a time, so that their answers do not hold up the rate. */
const WRITERS = 16;

/** How long the last frame may take, in milliseconds. */
const PATIENCE_MS = 30_000;

/** What a watcher knows of its frames. */
interface Watcher {
  readonly socket: WebSocket;
  /** Frames of the job, the first snapshot left out. */
  frames: number;
  readonly subscribed: Promise<void>;
  readonly finished: Promise<void>;
}

type Metric = 'seconds' | 'records' | 'mostFrames' | 'fewestFrames';

/**
 * A burst of progress on one job: each write is a record of the stream, and each watcher needs the newest state
 * alone. Writes go to the table directly, past the reporter that would write ten a second
 * (handlers/process/progress-reporter.ts); the rest is the local runtime.
 */
export const conflation: Measure = {
  name: 'conflation',
  summary:
    '10,000 writes on one job, at most a thousand a second, 100 watchers: the frames that each of them gets',
  async run(settings) {
    const load = settings.quick ? QUICK : FULL;
    settings.log('starts the local runtime');
    const runtime = await startLocalRuntime();
    const writer = new ProgressWriter(runtime);
    try {
      const { burst } = await alternate<'burst', Metric>(
        { burst: () => measureBurst(load, writer, runtime, settings) },
        { rounds: load.rounds, warmUps: 0, signal: settings.signal, log: settings.log },
      );
      return outcomeOf(load, burst);
    } finally {
      await writer.close();
      await runtime.close();
    }
  },
};

function outcomeOf(
  load: Load,
  burst: Readonly<Record<Metric, Summary>>,
): Awaited<ReturnType<Measure['run']>> {
  const { writes } = load;
  const framesToWrites = burst.mostFrames.median / writes;
  const figure = (name: string, unit: string, { median, spread }: Summary) => ({
    name,
    unit,
    value: median,
    spread,
  });
  return {
    figures: [
      figure(`time of ${writes} writes on one job`, 's', burst.seconds),
      figure('records of the stream', '', burst.records),
      {
        ...figure(`frames of the watcher with the most, of ${load.watchers}`, '', burst.mostFrames),
        baseline: { name: 'a frame a write', value: writes },
        ratio: framesToWrites,
      },
      figure('frames of the watcher with the fewest', '', burst.fewestFrames),
    ],
    ratios: { framesToWrites },
  };
}

async function measureBurst(
  { writes, seconds, watchers: count }: Load,
  writer: ProgressWriter,
  runtime: LocalRuntime,
  { signal }: MeasureSettings,
): Promise<Readonly<Record<Metric, number>>> {
  const job = await startJob(runtime.api, writer);
  const watchers = Array.from({ length: count }, () => watch(job.url));
  try {
    await inTime(Promise.all(watchers.map(({ subscribed }) => subscribed)), 'a watcher was not subscribed');
    const begun = performance.now();
    let next = 1;
    const write = async () => {
      for (let done = next; done <= writes; done = next) {
        next += 1;
        signal.throwIfAborted();
        await delay(Math.max(0, begun + (done * seconds * 1_000) / writes - performance.now()));
        await job.report(done);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
    const took = (performance.now() - begun) / 1_000;
    await job.succeed();
    await inTime(
      Promise.all(watchers.map(({ finished }) => finished)),
      'a watcher was not told of the terminal state',
    );
    const frames = watchers.map((watcher) => watcher.frames);
    const records = await countStreamRecords(runtime, job.id);
    // Made, queued and running came before, succeeded after.
    requireInvariant(records === writes + 4, `${writes} writes made ${records} records of the stream`);
    return {
      seconds: took,
      records,
      mostFrames: Math.max(...frames),
      fewestFrames: Math.min(...frames),
    };
  } finally {
    for (const { socket } of watchers) socket.terminate();
  }
}

/** Makes a job and claims it as the process function would. */
async function startJob(api: string, writer: ProgressWriter) {
  const response = await fetch(`${api}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'csv-profile', fileName: 'bench.csv', contentType: 'text/csv', size: 1 }),
  });
  const { job, watch } = parse('the created job', CreatedJobSchema, await response.json());
  const { id } = job;
  const at = () => new Date().toISOString();
  const execution = { id: 'bench', aliveUntil: new Date(Date.now() + 3_600_000).toISOString() };
  await writer.change(id, { at: at(), to: 'queued', set: { objectTag: '"bench"' } });
  await writer.change(id, { at: at(), to: 'running', set: { execution } });
  return {
    id,
    url: `${watch.url}?${new URLSearchParams({ job: id, ticket: watch.ticket })}`,
    async report(done: number) {
      const progress = { done, unit: 'rows', fraction: Math.min(1, done / 1_000_000) };
      await writer.change(id, { at: at(), within: ['running'], execution: 'bench', set: { progress } });
    },
    async succeed() {
      const result = { href: `/jobs/${id}/result`, contentType: 'application/json', size: 0 };
      await writer.change(id, { at: at(), to: 'succeeded', execution: 'bench', set: { result } });
    },
  };
}

function watch(url: string): Watcher {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const subscribed = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  const watcher = { socket, frames: -1, subscribed: subscribed.promise, finished: finished.promise };
  socket.once('error', (error) => {
    subscribed.reject(error);
    finished.reject(error);
  });
  finished.promise.catch(() => {}); // whoever waits for it hears of it
  socket.on('message', (data) => {
    const text = String(data);
    watcher.frames += 1;
    subscribed.resolve();
    // Frames are many, and to parse them all would hold up the writes. In a text it would stand with a backslash.
    if (text.includes('"status":"succeeded"')) finished.resolve();
  });
  return watcher;
}

/** @throws InvariantError where the work takes too long. */
async function inTime(work: Promise<unknown>, otherwise: string): Promise<void> {
  const ended = new AbortController();
  const late = delay(PATIENCE_MS, 'late' as const, { signal: ended.signal }).catch(() => 'late' as const);
  const first = await Promise.race([work, late]);
  ended.abort();
  requireInvariant(first !== 'late', `After ${PATIENCE_MS / 1_000} seconds ${otherwise}`);
}
