import { setImmediate as settled } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createWatchClient } from '../../client/watch-client.ts';
import { JobServer } from './job-server.ts';
import { JobSetting } from './job-setting.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';

/* A page that nobody sees may still have the connection of all tabs, some of which are seen. */

const WAIT = { interval: 1, timeout: 4_000 };
const MINUTE_MS = 60_000;

it('says nothing of staleness while its timers run once a minute, as browsers have them', async () => {
  const server = await JobServer.start();
  server.commit(sampleJob(1));
  const clock = new ManualClock();
  const client = createWatchClient({
    api: 'http://127.0.0.1',
    clock: {
      now: () => clock.now(),
      schedule(delayMs, callback) {
        const dueAt = Math.ceil((clock.now() + delayMs) / MINUTE_MS) * MINUTE_MS;
        return clock.schedule(dueAt - clock.now(), callback);
      },
    },
    fetch: server.fetch,
    onWake: () => () => {},
  });
  onTestFinished(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });
  const watch = client.watchJob(jobId(1));
  const told: string[] = [];
  watch.on((event) => {
    if (event.type === 'connection') told.push(event.connection.status);
  });
  clock.advance(0);
  await vi.waitFor(() => expect(watch.job?.seq).toBe(1), WAIT);
  for (let seq = 2; seq <= 6; seq += 1) {
    const pings = server.frames.filter(({ type }) => type === 'ping').length;
    await vi.waitFor(() => {
      clock.advance(MINUTE_MS / 4);
      expect(server.frames.filter(({ type }) => type === 'ping').length).toBeGreaterThan(pings);
    }, WAIT);
    // The answer comes before this.
    server.commit(sampleJob(seq));
    await vi.waitFor(() => expect(watch.job?.seq).toBe(seq), WAIT);
    await settled();
  }
  expect(told).toEqual(['live']);
  expect(server.sockets).toBe(1);
});

it.each([
  [90_000, ['live']],
  [96_000, ['live', 'stale', 'live']],
])('after a sleep of %i ms says %j', async (sleepMs, expected) => {
  const setting = await JobSetting.start();
  onTestFinished(async () => await setting[Symbol.asyncDispose]());
  const watch = setting.client.watchJob(jobId(1));
  const told: string[] = [];
  watch.on((event) => {
    if (event.type === 'connection') told.push(event.connection.status);
  });
  await setting.until(() => watch.connection.status === 'live');
  setting.clock.sleep(sleepMs);
  setting.clock.advance(0);
  setting.server.commit(sampleJob(2)); // after the answer to the ping
  await vi.waitFor(() => expect(watch.job?.seq).toBe(2), WAIT);
  expect(told).toEqual(expected);
});
