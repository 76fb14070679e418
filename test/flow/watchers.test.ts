import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from '../../protocol/invalid.ts';
import { type JobWatchers, JobWatchersSchema } from '../../protocol/watchers.ts';
import { createJob, takeTicket, upload } from './http-calls.ts';
import { type RunningJobwire, startJobwire } from './running-jobwire.ts';
import { SocketProbe } from './socket-probe.ts';

let jobwire: RunningJobwire;
beforeAll(async () => {
  jobwire = await startJobwire();
});
afterAll(async () => {
  await jobwire.close();
});

async function watchersOf(job: string, token?: string): Promise<JobWatchers> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${jobwire.api}/jobs/${job}/watchers`, { headers });
  expect(response.status).toBe(200);
  return parse('the watchers', JobWatchersSchema, await response.json());
}

async function connect(search = ''): Promise<SocketProbe> {
  const { url, protocols } = await takeTicket(jobwire.api);
  return await SocketProbe.connect(`${url}${search}`, protocols);
}

describe('who watches a job', () => {
  it('is seen while they watch, with what each has confirmed by a ping', async () => {
    const content = 'city,people\nUr,1\n';
    const created = await createJob(jobwire.api, { size: content.length });
    const { id } = created.job;
    expect(await watchersOf(id, created.token)).toEqual({ watchers: [], count: 0 });

    const [silent, follower, overview] = [await connect(`?job=${id}`), await connect(), await connect()];
    follower.send({ type: 'subscribe', id: 's', job: id });
    overview.send({ type: 'subscribe', id: 's', topic: 'owner:me' });
    for (const probe of [follower, overview]) await probe.frame((frame) => frame.type === 'subscribed');
    await upload(created, content);
    const last = await follower.frame(
      (frame): frame is typeof frame & { type: 'job' } =>
        frame.type === 'job' && frame.job.status === 'succeeded',
    );
    const { seq } = last.job;
    for (const [probe, head] of [
      [follower, seq],
      [overview, 1],
    ] as const) {
      probe.send({ type: 'ping', id: 'p', heads: { [id]: head } });
      await probe.frame((frame) => frame.type === 'pong');
    }

    const { watchers, count } = await watchersOf(id, created.token);
    expect(count).toBe(3);
    expect(watchers.map(({ topic, confirmed }) => [topic, confirmed?.seq]).toSorted()).toEqual(
      [
        ['job', undefined],
        ['job', seq],
        ['owner', 1],
      ].toSorted(),
    );
    for (const probe of [silent, follower, overview]) await probe.close();
  });

  it('is no longer seen once the connection has closed', async () => {
    const { job } = await createJob(jobwire.api, { size: 5 });
    const probe = await connect();
    probe.send({ type: 'subscribe', id: 's', job: job.id });
    await probe.frame((frame) => frame.type === 'subscribed');
    expect((await watchersOf(job.id)).count).toBe(1);
    await probe.close();
    await expect.poll(async () => (await watchersOf(job.id)).count, { timeout: 10_000 }).toBe(0);
  });
});
