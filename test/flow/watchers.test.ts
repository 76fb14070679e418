import { randomBytes } from 'node:crypto';
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
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

/** Rows that have expired and that TTL has not deleted yet: they count for the size of a page, and for nothing else. */
async function leaveRows(job: string, count: number): Promise<void> {
  const { administration } = jobwire.runtime;
  const client = new DynamoDBClient({ endpoint: administration.dynamoDb, ...administration });
  const table = administration.physicalName('SubscriptionsTable');
  const expiresAt = String(Math.floor(Date.now() / 1_000) - 60);
  for (let left = count; left > 0; left -= 25) {
    const requests = Array.from({ length: Math.min(25, left) }, () => ({
      PutRequest: {
        Item: {
          topic: { S: `job:${job}` },
          connection: { S: `${randomBytes(11).toString('base64url')}=` },
          since: { S: new Date().toISOString() },
          expiresAt: { N: expiresAt },
        },
      },
    }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
  }
  client.destroy();
}

describe('a job with more watchers than one execution posts to', () => {
  it('is told by several, over the broadcasts queue, and its last state reaches everybody', async () => {
    const content = 'city,people\nUr,1\n';
    const created = await createJob(jobwire.api, { size: content.length });
    const { id } = created.job;
    const probes = await Promise.all(Array.from({ length: 8 }, () => connect()));
    for (const probe of probes) probe.send({ type: 'subscribe', id: 's', job: id });
    for (const probe of probes) await probe.frame((frame) => frame.type === 'subscribed');
    await leaveRows(id, 1_050);
    const before = jobwire.reports.length;
    await upload(created, content);
    for (const probe of probes) {
      await probe.frame((frame) => frame.type === 'job' && frame.job.status === 'succeeded');
    }
    // An invocation is reported after its last post.
    const told = () =>
      jobwire.reports.slice(before).filter(({ functionName }) => functionName.includes('Deliver'));
    await expect.poll(() => told().length, { timeout: 10_000 }).toBeGreaterThan(0);
    for (const { outcome } of told()) expect(outcome).toBe('returned');
    for (const probe of probes) await probe.close();
  });
});
