import { createJobwireClient, type JobwireClient, type WatchJobOptions } from '../../client/client.ts';
import type { Platform } from '../../client/platform.ts';
import type { ConnectionState } from '../../client/state.ts';
import type { Timings } from '../../client/timings.ts';
import type { WatchEvent, Watching } from '../../client/watcher.ts';
import type { Job } from '../../protocol/job.ts';
import { AsyncQueue } from './async-queue.ts';
import { FakeServer } from './fake-server.ts';
import { ManualClock } from './manual-clock.ts';

/** A client on a manual clock and a real server, whose jitter is always half of the ceiling. */
export class Setting implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly server: FakeServer;
  readonly client: JobwireClient;
  readonly #wakers = new Set<() => void>();

  private constructor(server: FakeServer, fetch: Platform['fetch'] | undefined, timings: Partial<Timings>) {
    this.server = server;
    this.client = createJobwireClient({
      api: 'http://127.0.0.1:9',
      clock: this.clock,
      random: () => 0.5,
      timings,
      onWake: (callback) => {
        this.#wakers.add(callback);
        return () => this.#wakers.delete(callback);
      },
      fetch: fetch ?? (async () => Response.json(await this.#ticketAnswer(), { status: 201 })),
    });
  }

  /** Starts the server and the client. `fetch` answers the API; unless given, with a ticket. */
  static async start(fetch?: Platform['fetch'], timings: Partial<Timings> = {}): Promise<Setting> {
    return new Setting(await FakeServer.start(), fetch, timings);
  }

  /** Watches a job, first connect included. */
  watch(id: string, options: WatchJobOptions = {}) {
    const watch = this.client.watchJob(id, { ticket: this.server.ticket, ...options });
    const seen = record(watch);
    this.clock.advance(0);
    return { watch, ...seen };
  }

  /** How many listen for the network and the page. */
  get listeners(): number {
    return this.#wakers.size;
  }

  /** What `online` and `visibilitychange` do. */
  wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  async #ticketAnswer() {
    return { ...(await this.server.ticket()), expiresAt: '2026-11-23T12:01:00.000Z' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Queues of what a watch tells from now on. */
export function record(watch: Watching) {
  const jobs = new AsyncQueue<Job>();
  const states = new AsyncQueue<ConnectionState>();
  const troubles = new AsyncQueue<unknown>();
  watch.on((event: WatchEvent) => {
    if (event.type === 'job') jobs.push(event.job);
    else if (event.type === 'connection') states.push(event.connection);
    else troubles.push(event.error);
  });
  return { jobs, states, troubles };
}
