import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import { JobServer } from './job-server.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

/* A page that was open while its server was deployed anew: the file that hears broadcasts is gone. */

const loading = vi.hoisted(() => ({ attempts: 0 }));
vi.mock('../../client/broadcast.ts', () => ({
  get open(): never {
    loading.attempts += 1;
    throw new TypeError('Failed to fetch dynamically imported module');
  },
}));

let server: JobServer;
let clock: ManualClock;
let client: WatchClient;
beforeEach(async () => {
  loading.attempts = 0;
  server = await JobServer.start();
  server.commit(sampleJob(1));
  clock = new ManualClock();
  client = createWatchClient({
    api: 'http://127.0.0.1',
    clock,
    random: () => 0.5,
    fetch: server.fetch,
    onWake: () => () => {},
  });
});
afterEach(async () => {
  client.close();
  await settled();
  expect(clock.pending).toBe(0);
  await server[Symbol.asyncDispose]();
});

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (condition()) return;
      clock.advance(Math.min(clock.nextInMs ?? 0, 100));
      throw new Error('not yet');
    },
    { interval: 1, timeout: 10_000 },
  );
}

it('is polled around, told as trouble, and costs no ticket', async () => {
  const watch = client.watchJob(jobId(1), { via: 'iot' });
  const { states, troubles } = record(watch);
  await until(() => watch.connection.status === 'polling');
  expect(loading.attempts).toBe(3);
  expect(String(await troubles.next())).toContain('dynamically imported module');
  server.commit(sampleJob(2, 'succeeded'));
  await until(() => watch.connection.status === 'closed');
  expect((await watch.finished()).seq).toBe(2);
  expect(server.requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
  const told: string[] = [];
  while (states.size > 0) told.push((await states.next()).status);
  expect(told).toEqual(['reconnecting', 'polling', 'closed']);
});

it('takes no ticket of a callback, by which nothing can be polled', async () => {
  const ticket = vi.fn(() => Promise.reject(new Error('not wanted')));
  const watch = client.watchJob(jobId(1), { via: 'iot', ticket });
  await until(() => watch.connection.status === 'stale');
  expect(ticket).not.toHaveBeenCalled();
  expect(server.requests).toEqual([]);
});
