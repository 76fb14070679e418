import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SubscriptionRefusedError, TicketRefusedError } from '../../client/errors.ts';
import { problem } from '../../protocol/http.ts';
import { JobSetting } from './job-setting.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

let setting: JobSetting;
beforeEach(async () => {
  setting = await JobSetting.start();
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

function watchJob(number: number, token?: string) {
  const watch = setting.client.watchJob(jobId(number), { token });
  const seqs: number[] = [];
  watch.on((event) => {
    if (event.type === 'job') seqs.push(event.job.seq);
  });
  return { watch, seqs, ...record(watch) };
}

describe('where WebSockets are blocked', () => {
  it('polls with the cursor of the job, says so, and goes back to the socket without a repetition', async () => {
    setting.server.blocked = true;
    const { watch, seqs, states } = watchJob(1);
    await setting.until(() => watch.connection.status === 'polling');
    const { epoch } = sampleJob(1);
    await setting.until(() => setting.server.held === 1);
    expect(setting.server.requests.at(-1)).toBe(`GET /jobs/${jobId(1)} after "${epoch}.1"`);
    setting.server.commit(sampleJob(2));
    await setting.until(() => seqs.at(-1) === 2);
    await setting.until(() => setting.server.held === 1);
    setting.server.release(); // 304: nothing new
    await setting.until(() => setting.server.held === 0);
    await setting.until(() => setting.server.held === 1);
    expect(watch.connection.status).toBe('polling');
    setting.server.blocked = false;
    await setting.until(() => watch.connection.status === 'live');
    expect(setting.server.held).toBe(0);
    setting.server.commit(sampleJob(3, 'succeeded'));
    expect((await watch.finished()).seq).toBe(3);
    expect(seqs).toEqual([1, 2, 3]);
    const told: string[] = [];
    while (states.size > 0) told.push((await states.next()).status);
    expect(told).toEqual(['reconnecting', 'polling', 'live', 'closed']);
  });

  it('begins to poll in mid-job, and ends with the job', async () => {
    const { watch, seqs } = watchJob(1);
    await setting.until(() => watch.connection.status === 'live');
    setting.server.blocked = true;
    setting.server.cut();
    await setting.until(() => watch.connection.status === 'polling');
    setting.server.commit(sampleJob(2), sampleJob(3, 'failed'));
    await setting.until(() => watch.connection.status === 'closed');
    expect((await watch.finished()).seq).toBe(3);
    expect(seqs[0]).toBe(1);
    expect(seqs.at(-1)).toBe(3);
    expect(setting.server.requests.filter((request) => request === `GET /jobs/${jobId(1)}`)).toEqual([]);
  });

  it('holds no more requests than a browser has connections, and lists for topics', async () => {
    setting.server.blocked = true;
    const watches = [1, 2, 3, 4, 5, 6].map((number) => {
      setting.server.commit(sampleJob(1, 'running', { id: jobId(number) }));
      return watchJob(number);
    });
    const topic = setting.client.watchTopic('owner:me');
    const { jobs } = record(topic);
    await setting.until(() => watches.every(({ watch }) => watch.connection.status === 'polling'));
    await setting.until(() => topic.connection.status === 'polling');
    expect(setting.server.held).toBe(0);
    setting.server.commit(
      sampleJob(2, 'running', { id: jobId(6) }),
      sampleJob(1, 'queued', { id: jobId(7) }),
    );
    await setting.until(() => watches[5]?.seqs.at(-1) === 2);
    for (let job = await jobs.next(); job.id !== jobId(7); job = await jobs.next());
  });

  it('does not take an absent network for a blocked socket, and says how old its word is', async () => {
    const { watch } = watchJob(1);
    await setting.until(() => watch.connection.status === 'live');
    await settled();
    const confirmedAt = setting.clock.now();
    setting.server.failure = new TypeError('no network');
    setting.server.blocked = true;
    setting.server.cut();
    await setting.until(() => watch.connection.status === 'stale');
    expect(watch.connection).toMatchObject({ status: 'stale' });
    const { connection } = watch;
    expect(connection.status === 'stale' && connection.confirmedAt).toBeLessThanOrEqual(confirmedAt);
    expect(setting.server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  it('says so when polling fails, too, and recovers', async () => {
    setting.server.blocked = true;
    const { watch, troubles } = watchJob(1);
    await setting.until(() => watch.connection.status === 'polling');
    setting.server.failure = problem('internal');
    setting.server.release();
    setting.server.commit(sampleJob(2));
    await setting.until(() => watch.connection.status === 'stale');
    expect(troubles.size).toBeGreaterThan(0);
    setting.server.failure = undefined;
    await setting.until(() => watch.connection.status === 'polling');
    expect(watch.job?.seq).toBe(2);
  });

  it('asks no sooner than the server wants, whoever looks', async () => {
    setting.server.blocked = true;
    const { watch, troubles } = watchJob(1);
    await setting.until(() => setting.server.held === 1);
    setting.server.failure = problem('rate-limited');
    setting.server.retryAfterSeconds = 60;
    setting.server.release();
    await setting.until(
      () => troubles.size > 0 && setting.server.requests.at(-1)?.startsWith('GET') === true,
    );
    await setting.until(() => watch.connection.status === 'stale');
    const polls = () => setting.server.requests.filter((request) => request.startsWith('GET')).length;
    const before = polls();
    for (let times = 0; times < 20; times += 1) {
      setting.wake();
      setting.clock.advance(1_000);
      await settled();
    }
    expect(polls()).toBe(before);
  });

  it('ends with a typed error where the job is unknown or the caller is refused', async () => {
    setting.server.blocked = true;
    const unknown = watchJob(404);
    await setting.until(() => unknown.watch.connection.status === 'closed');
    await expect(unknown.watch.finished()).rejects.toBeInstanceOf(SubscriptionRefusedError);
    const { watch } = watchJob(1);
    await setting.until(() => watch.connection.status === 'polling');
    setting.server.failure = problem('unauthorized');
    setting.server.commit(sampleJob(2));
    await setting.until(() => watch.connection.status === 'closed');
    await expect(watch.finished()).rejects.toBeInstanceOf(TicketRefusedError);
  });
});

describe('a topic', () => {
  it('is told what was made while it was not subscribed yet, since it has no snapshot', async () => {
    const topic = setting.client.watchTopic('owner:me');
    const { jobs } = record(topic);
    setting.server.commit(sampleJob(4, 'succeeded', { id: jobId(2) }));
    await setting.until(() => topic.connection.status === 'live');
    const told = [await jobs.next(), await jobs.next()];
    expect(told.map(({ id }) => id).toSorted()).toEqual([jobId(1), jobId(2)]);
    expect(setting.server.requests).toEqual(['POST /tickets', 'GET /jobs']);
  });
});
