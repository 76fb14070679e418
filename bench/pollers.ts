import { setTimeout as delay } from 'node:timers/promises';
import { startLocalRuntime } from './local-runtime.ts';
import type { MeasureSettings } from './measure.ts';
import { startPolling } from './polling-client.ts';
import { ProgressWriter } from './progress-writer.ts';
import { type Summary, summarize } from './rounds.ts';
import { startWatchedJob } from './watched-job.ts';

/** How many clients poll one job, and how it changes. */
export interface PollersLoad {
  readonly audiences: readonly number[];
  readonly intervalSeconds: number;
  readonly changes: number;
}

/** What polling came to. */
export interface Polled {
  /** From the commit of a change to the answer by which the last client hears of it, in milliseconds. */
  readonly lastTold: Summary;
  /** Requests of one client in a second. */
  readonly requestsPerSecond: number;
}

/** Lets clients poll a job of the local runtime; by their number. */
export async function measurePollers(
  load: PollersLoad,
  { log, signal }: Pick<MeasureSettings, 'log' | 'signal'>,
): Promise<ReadonlyMap<number, Polled>> {
  log('starts the local runtime, for clients that poll');
  const runtime = await startLocalRuntime();
  const writer = new ProgressWriter(runtime);
  try {
    const polled = new Map<number, Polled>();
    const job = await startWatchedJob(runtime.api, writer);
    let change = 0;
    for (const clients of load.audiences) {
      log(`${clients} clients poll`);
      const crowd = new Crowd(clients);
      const begun = performance.now();
      const pollers = Array.from({ length: clients }, (_, index) =>
        startPolling({
          url: `${runtime.api}/jobs/${job.id}`,
          token: job.token,
          intervalMs: load.intervalSeconds * 1_000,
          onChange: (heard) => crowd.hear(index, heard),
        }),
      );
      const times: number[] = [];
      try {
        for (let made = 0; made < load.changes; made += 1) {
          change += 1;
          // Else each change would come right behind a poll.
          await delay(Math.random() * load.intervalSeconds * 1_000, undefined, { signal });
          const told = crowd.told(change);
          let sentAt = 0;
          await job.commit(change, () => {
            sentAt = performance.now();
          });
          times.push((await told) - sentAt);
        }
      } finally {
        await Promise.all(pollers.map((poller) => poller.stop()));
      }
      const seconds = (performance.now() - begun) / 1_000;
      const requests = pollers.reduce((sum, poller) => sum + poller.requests, 0);
      polled.set(clients, {
        lastTold: summarize(times),
        requestsPerSecond: requests / clients / seconds,
      });
    }
    job.close();
    return polled;
  } finally {
    await writer.close();
    await runtime.close();
  }
}

/** Clients of whom each has heard of some change. */
class Crowd {
  readonly #heard: number[];
  #awaited: { readonly change: number; readonly resolve: (at: number) => void } | undefined;

  constructor(clients: number) {
    this.#heard = Array.from({ length: clients }, () => 0);
  }

  hear(client: number, change: number): void {
    this.#heard[client] = Math.max(this.#heard[client] ?? 0, change);
    const awaited = this.#awaited;
    if (awaited === undefined || this.#heard.some((heard) => heard < awaited.change)) return;
    this.#awaited = undefined;
    awaited.resolve(performance.now());
  }

  /** Resolves when the last one has heard of a change. */
  told(change: number): Promise<number> {
    return new Promise((resolve) => {
      this.#awaited = { change, resolve };
    });
  }
}
