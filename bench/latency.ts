import { setTimeout as delay } from 'node:timers/promises';
import { ChangeClock } from './change-clock.ts';
import { type LocalRuntime, startLocalRuntime } from './local-runtime.ts';
import { type Figure, type Measure, type MeasureSettings, requireInvariant } from './measure.ts';
import { startPolling } from './polling-client.ts';
import { ProgressWriter } from './progress-writer.ts';
import { alternate, quantile, type Round } from './rounds.ts';
import { startWatchedJob, type WatchedJob } from './watched-job.ts';

/** Changes a second over all jobs; the targets are those of the last. */
const RATES = [1, 10, 100] as const;

/** Seconds between two requests of a client that polls. */
const POLL_INTERVALS = [1, 5] as const;

/** While clients poll, that many changes a second are made. */
const POLLED_RATE = 10;

/** So many at once are created and connected. */
const JOBS_AT_ONCE = 5;

/** How much is measured. */
interface Load {
  readonly jobs: number;
  readonly rates: readonly number[];
  /** Of one round at one rate. */
  readonly seconds: number;
  readonly rounds: number;
  /** Of changes at the last rate before anything is measured: slower rates and polls warm up nothing more. */
  readonly warmUpSeconds: number;
  /** Jobs that polling clients look at; each is one client. */
  readonly polled: number;
  readonly pollIntervals: readonly number[];
}

const FULL: Load = {
  jobs: 100,
  rates: RATES,
  seconds: 10,
  rounds: 3,
  warmUpSeconds: 10,
  polled: 20,
  pollIntervals: POLL_INTERVALS,
};

const QUICK: Load = {
  jobs: 3,
  rates: [100],
  seconds: 0.3,
  rounds: 1,
  warmUpSeconds: 0,
  polled: 2,
  pollIntervals: [0.3],
};

type Metric = 'p50' | 'p95' | 'p99' | 'requests';

/**
 * From the commit of a change to its frame in a client: DynamoDB, its stream, the publish function, @connections,
 * a socket. A commit counts from the moment when its write is sent, so the write itself is in the figure. The
 * runtime has a process of its own; jobs are changed and watched here.
 */
export const latency: Measure = {
  name: 'latency',
  summary: 'from the commit of a change to its frame in a client, through the local runtime',
  async run(settings) {
    const load = settings.quick ? QUICK : FULL;
    settings.log('starts the local runtime');
    const runtime = await startLocalRuntime();
    const writer = new ProgressWriter(runtime);
    const jobs: WatchedJob[] = [];
    try {
      settings.log(`creates and watches ${load.jobs} jobs`);
      while (jobs.length < load.jobs) {
        settings.signal.throwIfAborted();
        const some = Array.from({ length: Math.min(JOBS_AT_ONCE, load.jobs - jobs.length) });
        jobs.push(...(await Promise.all(some.map(() => startWatchedJob(runtime.api, writer)))));
      }
      return await compare(load, jobs, runtime, settings);
    } finally {
      for (const job of jobs) job.close();
      await writer.close();
      await runtime.close();
    }
  },
};

async function compare(
  load: Load,
  jobs: readonly WatchedJob[],
  runtime: LocalRuntime,
  { log, signal }: MeasureSettings,
): ReturnType<Measure['run']> {
  const contestants: Record<string, Round<Metric>> = {};
  for (const rate of load.rates) contestants[pushed(rate)] = () => push(jobs, rate, load.seconds, signal);
  for (const interval of load.pollIntervals) {
    contestants[polled(interval)] = () =>
      poll(jobs.slice(0, load.polled), runtime.api, interval, load.seconds, signal);
  }
  if (load.warmUpSeconds > 0) {
    log('warming up');
    await push(jobs, load.rates.at(-1) ?? 1, load.warmUpSeconds, signal);
  }
  const measured = await alternate(contestants, { rounds: load.rounds, warmUps: 0, signal, log });
  const slowest = load.pollIntervals[0] ?? 1;
  const figures = Object.entries(measured).flatMap(([name, metrics]): Figure[] => {
    const beside = measured[polled(slowest)];
    const milliseconds = (['p50', 'p95', 'p99'] as const).map((part): Figure => {
      const { median: value, spread } = metrics[part];
      const baseline = beside?.[part].median;
      return {
        name: `${name}: ${part}`,
        unit: 'ms',
        value,
        spread,
        ...(baseline !== undefined &&
          beside !== metrics && {
            baseline: { name: polled(slowest), value: baseline },
            ratio: value / baseline,
          }),
      };
    });
    const requests = { name: `${name}: requests of a watcher`, unit: '/min', value: metrics.requests.median };
    return [...milliseconds, requests];
  });
  const fastest = measured[pushed(load.rates.at(-1) ?? 0)];
  requireInvariant(fastest !== undefined, 'No rate was measured');
  return { figures, ratios: { p50Ms: fastest.p50.median, p99Ms: fastest.p99.median } };
}

const pushed = (rate: number) => `pushed, ${rate} changes/s`;
const polled = (interval: number) => `polled every ${interval} s`;

/** The number of a job's newest change; it ascends over all rounds. */
const newestChange = new WeakMap<WatchedJob, number>();

/** Commits at a steady rate, job after job, and looks when each watcher has the frame. */
async function push(
  jobs: readonly WatchedJob[],
  rate: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Record<Metric, number>> {
  let repeated = 0;
  const clocks = jobs.map((job) => {
    const clock = new ChangeClock();
    job.onFrame = (change) => {
      // One without a change is of the job's beginning, and as late as the machine is busy.
      if (change > 0 && !clock.heard(change)) repeated += 1;
    };
    return clock;
  });
  await commitSteadily(jobs, clocks, rate, seconds, signal);
  await Promise.all(clocks.map((clock) => clock.allHeard()));
  requireInvariant(repeated === 0, `${repeated} frames told nothing new`);
  return { ...summed(clocks), requests: 0 };
}

/** The same changes, looked at by clients that ask every `interval` seconds. */
async function poll(
  jobs: readonly WatchedJob[],
  api: string,
  interval: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Record<Metric, number>> {
  const clocks = jobs.map(() => new ChangeClock());
  const begun = performance.now();
  const clients = jobs.map(({ id, token }, index) =>
    startPolling({
      url: `${api}/jobs/${id}`,
      token,
      intervalMs: interval * 1000,
      onChange: (change) => clocks[index]?.heard(change),
    }),
  );
  for (const job of jobs) job.onFrame = () => {};
  try {
    await commitSteadily(jobs, clocks, POLLED_RATE, Math.max(seconds, 2 * interval), signal);
    await Promise.all(clocks.map((clock) => clock.allHeard()));
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
  }
  const minutes = (performance.now() - begun) / 60_000;
  const requests = clients.reduce((sum, client) => sum + client.requests, 0);
  return { ...summed(clocks), requests: requests / clients.length / minutes };
}

async function commitSteadily(
  jobs: readonly WatchedJob[],
  clocks: readonly ChangeClock[],
  rate: number,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now();
  const commits: Promise<void>[] = [];
  for (let index = 0; index < Math.max(rate * seconds, jobs.length === 0 ? 0 : 1); index += 1) {
    await delay(Math.max(0, begun + (index * 1000) / rate - performance.now()), undefined, { signal });
    const position = index % jobs.length;
    const [job, clock] = [jobs[position], clocks[position]];
    if (job === undefined || clock === undefined) break;
    const change = (newestChange.get(job) ?? 0) + 1;
    newestChange.set(job, change);
    commits.push(job.commit(change, () => clock.sent(change)));
  }
  await Promise.all(commits);
}

function summed(clocks: readonly ChangeClock[]): Record<'p50' | 'p95' | 'p99', number> {
  const sorted = clocks.flatMap(({ latencies }) => latencies).sort((one, other) => one - other);
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) };
}
