import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Problem, problem } from '../../protocol/http.ts';
import { JobBroker } from './job-broker.ts';
import { JobSetting } from './job-setting.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

/* How what never came to a broker is found out: when the job is read beside it. */

let setting: JobSetting;
let broker: JobBroker;
/** While set, what reads are answered with. */
let unreadable: Problem | undefined;
/** How many heartbeats were over at each read. */
let reads: number[];
beforeEach(async () => {
  broker = await JobBroker.start();
  unreadable = undefined;
  reads = [];
  setting = await JobSetting.start({
    broker,
    timings: { pingMs: 3_000 },
    fetch: async (server, url, init) => {
      if (init?.method === 'POST') return await server.fetch(url, init);
      reads.push(broker.heard.filter((packet) => packet === 'PINGREQ').length);
      if (unreadable === undefined) return await server.fetch(url, init);
      return Response.json(unreadable, { status: unreadable.status });
    },
  });
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

async function watchUnheard() {
  const watch = setting.client.watchJob(jobId(1), { via: 'iot' });
  await setting.until(() => watch.connection.status === 'live');
  broker.deaf = true;
  return { watch, ...record(watch) };
}

it('reads with each tenth heartbeat, and asks for what is newer than it has read', async () => {
  const { watch } = await watchUnheard();
  setting.server.commit(sampleJob(2));
  await setting.until(() => reads.length === 3);
  expect(watch.job?.seq).toBe(2);
  expect(reads).toEqual([0, 9, 19]);
  const { epoch } = sampleJob(1);
  const asked = setting.server.requests.filter((request) => request.startsWith('GET'));
  expect(asked.slice(1)).toEqual([1, 2].map((seq) => `GET /jobs/${jobId(1)} after "${epoch}.${seq}"`));
  expect(broker.connections).toBe(1);
});

it('counts from the last change that was told', async () => {
  const { watch } = await watchUnheard();
  await setting.until(() => broker.heard.filter((packet) => packet === 'PINGREQ').length === 5);
  broker.deaf = false;
  setting.server.commit(sampleJob(2));
  await setting.until(() => watch.job?.seq === 2);
  await setting.until(() => reads.length === 2);
  expect(reads[1]).toBeGreaterThanOrEqual(14);
});

it('reads again with the next heartbeat where it could not, and tells why as trouble', async () => {
  const { watch, troubles } = await watchUnheard();
  unreadable = problem('internal');
  await setting.until(() => troubles.size > 0);
  unreadable = undefined;
  await setting.until(() => reads.length === 3);
  expect(reads).toEqual([0, 9, 10]);
  expect(await troubles.next()).toMatchObject({ code: 'internal' });
  expect(watch.connection.status).toBe('live');
});

it('ends the watch where the job may not be read any more', async () => {
  const { watch } = await watchUnheard();
  unreadable = problem('forbidden');
  await setting.until(() => watch.connection.status === 'closed');
  await expect(watch.finished()).rejects.toMatchObject({ code: 'forbidden' });
});
