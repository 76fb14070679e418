import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SubscriptionRefusedError, TicketRefusedError } from '../../client/errors.ts';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import { problem } from '../../protocol/http.ts';
import { JobServer } from './job-server.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

let server: JobServer;
let clock: ManualClock;
let client: WatchClient;
let wake = () => {};
beforeEach(async () => {
  server = await JobServer.start();
  server.commit(sampleJob(1));
  clock = new ManualClock();
  client = createWatchClient({
    api: 'http://127.0.0.1',
    clock,
    random: () => 0.5,
    fetch: server.fetch,
    onWake: (callback) => {
      wake = callback;
      return () => {};
    },
  });
});
afterEach(async () => {
  client.close();
  await settled();
  expect(clock.pending).toBe(0);
  await server[Symbol.asyncDispose]();
});

/** Lets time go by, to each next thing that is due, until a condition holds. */
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

function watchJob(number: number, token?: string) {
  const watch = client.watchJob(jobId(number), { token });
  const seqs: number[] = [];
  watch.on((event) => {
    if (event.type === 'job') seqs.push(event.job.seq);
  });
  return { watch, seqs, ...record(watch) };
}

describe('where WebSockets are blocked', () => {
  it('polls with the cursor of the job, says so, and goes back to the socket without a repetition', async () => {
    server.blocked = true;
    const { watch, seqs, states } = watchJob(1);
    await until(() => watch.connection.status === 'polling');
    const { epoch } = sampleJob(1);
    await until(() => server.held === 1);
    expect(server.requests.at(-1)).toBe(`GET /jobs/${jobId(1)} after "${epoch}.1"`);
    server.commit(sampleJob(2));
    await until(() => seqs.at(-1) === 2);
    await until(() => server.held === 1);
    server.release(); // 304: nothing new
    await until(() => server.held === 0);
    await until(() => server.held === 1);
    expect(watch.connection.status).toBe('polling');
    server.blocked = false;
    await until(() => watch.connection.status === 'live');
    expect(server.held).toBe(0);
    server.commit(sampleJob(3, 'succeeded'));
    expect((await watch.finished()).seq).toBe(3);
    expect(seqs).toEqual([1, 2, 3]);
    const told: string[] = [];
    while (states.size > 0) told.push((await states.next()).status);
    expect(told).toEqual(['reconnecting', 'polling', 'live', 'closed']);
  });

  it('begins to poll in mid-job, and ends with the job', async () => {
    const { watch, seqs } = watchJob(1);
    await until(() => watch.connection.status === 'live');
    server.blocked = true;
    server.cut();
    await until(() => watch.connection.status === 'polling');
    server.commit(sampleJob(2), sampleJob(3, 'failed'));
    await until(() => watch.connection.status === 'closed');
    expect((await watch.finished()).seq).toBe(3);
    expect(seqs[0]).toBe(1);
    expect(seqs.at(-1)).toBe(3);
    expect(server.requests.filter((request) => request === `GET /jobs/${jobId(1)}`)).toEqual([]);
  });

  it('holds no more requests than a browser has connections, and lists for topics', async () => {
    server.blocked = true;
    const watches = [1, 2, 3, 4, 5, 6].map((number) => {
      server.commit(sampleJob(1, 'running', { id: jobId(number) }));
      return watchJob(number);
    });
    const topic = client.watchTopic('owner:me');
    const { jobs } = record(topic);
    await until(() => watches.every(({ watch }) => watch.connection.status === 'polling'));
    await until(() => topic.connection.status === 'polling');
    expect(server.held).toBe(0);
    server.commit(sampleJob(2, 'running', { id: jobId(6) }), sampleJob(1, 'queued', { id: jobId(7) }));
    await until(() => watches[5]?.seqs.at(-1) === 2);
    for (let job = await jobs.next(); job.id !== jobId(7); job = await jobs.next());
  });

  it('does not take an absent network for a blocked socket, and says how old its word is', async () => {
    const { watch } = watchJob(1);
    await until(() => watch.connection.status === 'live');
    await settled();
    const confirmedAt = clock.now();
    server.failure = new TypeError('no network');
    server.blocked = true;
    server.cut();
    await until(() => watch.connection.status === 'stale');
    expect(watch.connection).toMatchObject({ status: 'stale' });
    const { connection } = watch;
    expect(connection.status === 'stale' && connection.confirmedAt).toBeLessThanOrEqual(confirmedAt);
    expect(server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  it('says so when polling fails, too, and recovers', async () => {
    server.blocked = true;
    const { watch, troubles } = watchJob(1);
    await until(() => watch.connection.status === 'polling');
    server.failure = problem('internal');
    server.release();
    server.commit(sampleJob(2));
    await until(() => watch.connection.status === 'stale');
    expect(troubles.size).toBeGreaterThan(0);
    server.failure = undefined;
    await until(() => watch.connection.status === 'polling');
    expect(watch.job?.seq).toBe(2);
  });

  it('asks no sooner than the server wants, whoever looks', async () => {
    server.blocked = true;
    const { watch, troubles } = watchJob(1);
    await until(() => server.held === 1);
    server.failure = problem('rate-limited');
    server.retryAfterSeconds = 60;
    server.release();
    await until(() => troubles.size > 0 && server.requests.at(-1)?.startsWith('GET') === true);
    await until(() => watch.connection.status === 'stale');
    const polls = () => server.requests.filter((request) => request.startsWith('GET')).length;
    const before = polls();
    for (let times = 0; times < 20; times += 1) {
      wake();
      clock.advance(1_000);
      await settled();
    }
    expect(polls()).toBe(before);
  });

  it('ends with a typed error where the job is unknown or the caller is refused', async () => {
    server.blocked = true;
    const unknown = watchJob(404);
    await until(() => unknown.watch.connection.status === 'closed');
    await expect(unknown.watch.finished()).rejects.toBeInstanceOf(SubscriptionRefusedError);
    const { watch } = watchJob(1);
    await until(() => watch.connection.status === 'polling');
    server.failure = problem('unauthorized');
    server.commit(sampleJob(2));
    await until(() => watch.connection.status === 'closed');
    await expect(watch.finished()).rejects.toBeInstanceOf(TicketRefusedError);
  });
});

describe('a topic', () => {
  it('is told what was made while it was not subscribed yet, since it has no snapshot', async () => {
    const topic = client.watchTopic('owner:me');
    const { jobs } = record(topic);
    server.commit(sampleJob(4, 'succeeded', { id: jobId(2) }));
    await until(() => topic.connection.status === 'live');
    const told = [await jobs.next(), await jobs.next()];
    expect(told.map(({ id }) => id).toSorted()).toEqual([jobId(1), jobId(2)]);
    expect(server.requests).toEqual(['POST /tickets', 'GET /jobs']);
  });
});
