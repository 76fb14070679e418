import { setImmediate as settled } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import type { Platform } from '../../client/platform.ts';
import type { Timings } from '../../client/timings.ts';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import type { JobBroker } from './job-broker.ts';
import { JobServer } from './job-server.ts';
import { ManualClock } from './manual-clock.ts';
import { sampleJob } from './sample-job.ts';

/** How a setting of the tests is other than the rest. */
export interface JobSettingOptions {
  /** Where states are broadcast, too. */
  readonly broker?: JobBroker;
  readonly timings?: Partial<Timings>;
  /** Stands between the client and the server's API. */
  readonly fetch?: (server: JobServer, ...request: Parameters<Platform['fetch']>) => Promise<Response>;
}

/**
 * A client on a manual clock, whose jitter is always half of the ceiling, and the server of a job that it watches:
 * real sockets, a real broker, and HTTP.
 */
export class JobSetting implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly server: JobServer;
  readonly client: WatchClient;
  #wake = () => {};

  private constructor(server: JobServer, { timings, fetch }: JobSettingOptions) {
    this.server = server;
    this.client = createWatchClient({
      api: 'http://127.0.0.1',
      clock: this.clock,
      random: () => 0.5,
      ...(timings === undefined ? {} : { timings }),
      fetch: fetch === undefined ? server.fetch : async (...request) => await fetch(server, ...request),
      onWake: (callback) => {
        this.#wake = callback;
        return () => {};
      },
    });
  }

  /** Starts a server that has the first state of job 1, and the client. */
  static async start(options: JobSettingOptions = {}): Promise<JobSetting> {
    const server = await JobServer.start(options.broker);
    server.commit(sampleJob(1));
    return new JobSetting(server, options);
  }

  /** What `online` and `visibilitychange` do. */
  wake(): void {
    this.#wake();
  }

  /** Lets time go by, to each next thing that is due, until a condition holds. */
  async until(condition: () => boolean): Promise<void> {
    await vi.waitFor(
      () => {
        if (condition()) return;
        this.clock.advance(Math.min(this.clock.nextInMs ?? 0, 50));
        throw new Error('not yet');
      },
      { interval: 1, timeout: 10_000 },
    );
  }

  /** Ends both, and shows that the client leaves no timer. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await settled();
    expect(this.clock.pending).toBe(0);
    await this.server[Symbol.asyncDispose]();
  }
}
