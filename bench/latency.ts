import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createJobwireClient } from '../client/client.ts';
import { startRuntime } from '../local/runtime/runtime.ts';
import type { Measure } from './measure.ts';
import { startRunningJob } from './running-job.ts';

/** What to measure: changes a second on one job, and for how many seconds. */
export interface LatencyLoad {
  readonly rate: number;
  readonly seconds: number;
}

/** Milliseconds from the commit to the frame. A commit counts from the moment when its write is sent. */
export interface LatencyFigures extends LatencyLoad {
  readonly changes: number;
  /** States that reached the watcher; fewer than changes where the publisher merged some. */
  readonly frames: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maximumMs: number;
}

/** The first changes start the functions cold and are left out. */
const WARM_UP_CHANGES = 20;

/** The first port of the benchmark's own runtime. */
const FIRST_PORT = 8_480;

/**
 * Commits changes of one job at a steady rate and looks when a client, over a real socket, has them. Through the
 * whole template: DynamoDB, its stream, the publish function, @connections.
 */
export async function measureLatency(load: LatencyLoad): Promise<LatencyFigures> {
  const stateDirectory = await mkdtemp(path.join(tmpdir(), 'jobwire-bench-'));
  const runtime = await startRuntime({
    project: fileURLToPath(new URL('..', import.meta.url)),
    stateDirectory,
    firstPort: FIRST_PORT,
    fresh: false,
    watch: false,
    log: () => {},
  });
  try {
    const job = await startRunningJob(runtime.endpoints.api, runtime.administration);
    const watch = createJobwireClient({ api: runtime.endpoints.api }).watchJob(job.created.job.id, {
      token: job.created.token,
    });
    const received = new Map<number, number>();
    const subscribed = Promise.withResolvers<void>();
    watch.on((event) => {
      if (event.type !== 'job') return;
      received.set(event.job.seq, performance.now());
      subscribed.resolve();
    });
    await subscribed.promise;

    const sent = new Map<number, number>();
    const changes = Math.round(load.rate * load.seconds) + WARM_UP_CHANGES;
    const begun = performance.now();
    for (let index = 0; index < changes; index += 1) {
      await delay(Math.max(0, begun + (index * 1000) / load.rate - performance.now()));
      const at = performance.now();
      const { seq } = (await job.report(index / changes)).job;
      if (index >= WARM_UP_CHANGES) sent.set(seq, at);
    }
    await job.finish();
    await watch.finished();

    const latencies = [...sent]
      .flatMap(([seq, at]) => {
        const came = received.get(seq);
        return came === undefined ? [] : [came - at];
      })
      .sort((one, other) => one - other);
    return {
      ...load,
      changes: sent.size,
      frames: latencies.length,
      p50Ms: percentile(latencies, 0.5),
      p95Ms: percentile(latencies, 0.95),
      p99Ms: percentile(latencies, 0.99),
      maximumMs: percentile(latencies, 1),
    };
  } finally {
    await runtime.close();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

/** Commit to frame, through the whole template. */
export const latency: Measure = {
  name: 'latency',
  summary: 'from the commit of a change to its frame in a client, through the local runtime',
  async run({ quick }) {
    const { p50Ms, p95Ms, p99Ms } = await measureLatency({ rate: 10, seconds: quick ? 1 : 20 });
    return {
      figures: [
        { name: 'p50', unit: 'ms', value: p50Ms },
        { name: 'p95', unit: 'ms', value: p95Ms },
        { name: 'p99', unit: 'ms', value: p99Ms },
      ],
      ratios: { p50Ms, p99Ms },
    };
  },
};

/** The value below which that part of sorted values lies (nearest rank). */
function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
