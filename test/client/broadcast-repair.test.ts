import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import { type Problem, problem } from '../../protocol/http.ts';
import { JobBroker } from './job-broker.ts';
import { JobServer } from './job-server.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

/* How what never came to a broker is found out: when the job is read beside it. */

let server: JobServer;
let broker: JobBroker;
let clock: ManualClock;
let client: WatchClient;
/** While set, what reads are answered with. */
let unreadable: Problem | undefined;
/** How many heartbeats were over at each read. */
let reads: number[];
beforeEach(async () => {
  broker = await JobBroker.start();
  server = await JobServer.start(broker);
  server.commit(sampleJob(1));
  unreadable = undefined;
  reads = [];
  clock = new ManualClock();
  client = createWatchClient({
    api: 'http://127.0.0.1',
    clock,
    random: () => 0.5,
    timings: { pingMs: 3_000 },
    fetch: async (url, init) => {
      if (init?.method === 'POST') return await server.fetch(url, init);
      reads.push(broker.heard.filter((packet) => packet === 'PINGREQ').length);
      if (unreadable === undefined) return await server.fetch(url, init);
      return Response.json(unreadable, { status: unreadable.status });
    },
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
      clock.advance(Math.min(clock.nextInMs ?? 0, 50));
      throw new Error('not yet');
    },
    { interval: 1, timeout: 10_000 },
  );
}

async function watchUnheard() {
  const watch = client.watchJob(jobId(1), { via: 'iot' });
  await until(() => watch.connection.status === 'live');
  broker.deaf = true;
  return { watch, ...record(watch) };
}

it('reads with each tenth heartbeat, and asks for what is newer than it has read', async () => {
  const { watch } = await watchUnheard();
  server.commit(sampleJob(2));
  await until(() => reads.length === 3);
  expect(watch.job?.seq).toBe(2);
  expect(reads).toEqual([0, 9, 19]);
  const { epoch } = sampleJob(1);
  const asked = server.requests.filter((request) => request.startsWith('GET'));
  expect(asked.slice(1)).toEqual([1, 2].map((seq) => `GET /jobs/${jobId(1)} after "${epoch}.${seq}"`));
  expect(broker.connections).toBe(1);
});

it('counts from the last change that was told', async () => {
  const { watch } = await watchUnheard();
  await until(() => broker.heard.filter((packet) => packet === 'PINGREQ').length === 5);
  broker.deaf = false;
  server.commit(sampleJob(2));
  await until(() => watch.job?.seq === 2);
  await until(() => reads.length === 2);
  expect(reads[1]).toBeGreaterThanOrEqual(14);
});

it('reads again with the next heartbeat where it could not, and tells why as trouble', async () => {
  const { watch, troubles } = await watchUnheard();
  unreadable = problem('internal');
  await until(() => troubles.size > 0);
  unreadable = undefined;
  await until(() => reads.length === 3);
  expect(reads).toEqual([0, 9, 10]);
  expect(await troubles.next()).toMatchObject({ code: 'internal' });
  expect(watch.connection.status).toBe('live');
});

it('ends the watch where the job may not be read any more', async () => {
  const { watch } = await watchUnheard();
  unreadable = problem('forbidden');
  await until(() => watch.connection.status === 'closed');
  await expect(watch.finished()).rejects.toMatchObject({ code: 'forbidden' });
});
