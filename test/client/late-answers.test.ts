import { setImmediate as settled } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ProblemError, SubscriptionRefusedError } from '../../client/errors.ts';
import { createWatchClient } from '../../client/watch-client.ts';
import { errorFrame } from '../../protocol/frames.ts';
import { problem } from '../../protocol/http.ts';
import { JobServer } from './job-server.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record, Setting } from './setting.ts';

/* Answers that come late, are held, or say "not yet". */

const WAIT = { interval: 1, timeout: 4_000 };

async function startSetting(fetch?: (setting: () => Setting, url: string) => Promise<Response>) {
  const started: { setting?: Setting } = {};
  const get = () => {
    if (started.setting === undefined) throw new Error('nothing asks before there is a client');
    return started.setting;
  };
  const setting = await Setting.start(fetch && ((url) => fetch(get, url)));
  started.setting = setting;
  onTestFinished(() => setting[Symbol.asyncDispose]());
  return setting;
}

it('a list that was asked for before a topic was subscribed anew is asked for again', async () => {
  const lists: PromiseWithResolvers<Response>[] = [];
  const setting = await startSetting(async (get, url) => {
    if (url.endsWith('/tickets')) return Response.json(await get().server.ticket(), { status: 201 });
    const answer = Promise.withResolvers<Response>();
    lists.push(answer);
    return await answer.promise;
  });
  const watch = setting.client.watchTopic('owner:me');
  const { jobs, states } = record(watch);
  const confirm = async () => {
    const peer = await setting.server.accept();
    const { id } = await peer.expect('subscribe');
    peer.send({ type: 'subscribed', id, topic: 'owner:me' });
    while ((await states.next()).status !== 'live');
    return peer;
  };
  setting.clock.advance(0);
  const peer = await confirm();
  expect(lists).toHaveLength(1);
  peer.socket.terminate();
  expect((await states.next()).status).toBe('reconnecting');
  setting.clock.advance(250);
  await confirm();
  expect(lists).toHaveLength(2);
  lists[1]?.resolve(Response.json({ jobs: [sampleJob(3)] }));
  expect((await jobs.next()).seq).toBe(3);
  await settled();
  setting.clock.advance(6_000);
  expect(lists).toHaveLength(2);
});

it('a pong that comes late leaves no timer where a listener closes at what it brings to light', async () => {
  const setting = await startSetting();
  const { watch, states } = setting.watch(jobId(1));
  const peer = await setting.server.accept();
  const { id } = await peer.expect('subscribe');
  peer.send({ type: 'subscribed', id, job: sampleJob(1) });
  expect((await states.next()).status).toBe('live');
  setting.clock.sleep(3_600_000);
  setting.wake();
  expect(watch.connection.status).toBe('stale');
  watch.on((event) => {
    if (event.type === 'connection' && event.connection.status === 'live') watch.close();
  });
  await peer.expect('ping');
  peer.send({ type: 'pong' });
  await vi.waitFor(() => expect(watch.connection.status).toBe('closed'), WAIT);
  await settled();
  expect(setting.clock.pending).toBe(0);
});

it('what the server asked for holds for the next watch, too', async () => {
  let tickets = 0;
  const setting = await startSetting(async () => {
    tickets += 1;
    const { status, ...refusal } = problem('rate-limited');
    return Response.json({ status, ...refusal }, { status, headers: { 'retry-after': '60' } });
  });
  const first = setting.client.watchJob(jobId(1));
  const { troubles } = record(first);
  setting.clock.advance(0);
  expect(await troubles.next()).toBeInstanceOf(ProblemError);
  first.close();
  for (let times = 0; times < 10; times += 1) {
    const watch = setting.client.watchJob(jobId(1));
    setting.clock.advance(1_000);
    setting.wake();
    await settled();
    watch.close();
  }
  expect(tickets).toBe(1);
  setting.client.watchJob(jobId(1));
  setting.clock.advance(60_000);
  expect(tickets).toBe(2);
});

it('a request that is held for one watch does not hold up the next', async () => {
  const server = await JobServer.start();
  server.commit(sampleJob(1));
  const clock = new ManualClock();
  const client = createWatchClient({
    api: 'http://127.0.0.1',
    clock,
    fetch: server.fetch,
    onWake: () => () => {},
  });
  onTestFinished(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });
  const first = client.watchJob(jobId(1), { via: 'poll' });
  const { jobs } = record(first);
  await vi.waitFor(() => {
    clock.advance(100);
    expect(server.held).toBe(1);
  }, WAIT);
  const second = client.watchJob(jobId(1), { via: 'poll' });
  await vi.waitFor(() => expect(second.job?.seq).toBe(1), WAIT);
  expect([first.connection.status, second.connection.status]).toEqual(['polling', 'polling']);
  expect(jobs.size).toBe(1);
});

it('a subscription that the server puts off again and again is told of, and does not stay "connecting"', async () => {
  const setting = await startSetting();
  const { states, troubles } = setting.watch(jobId(1));
  const peer = await setting.server.accept();
  peer.socket.on('message', (data) => {
    const { type, id } = JSON.parse(String(data)) as { type: string; id: string }; // of our own client
    peer.send(type === 'ping' ? { type: 'pong' } : errorFrame('internal', { id }));
  });
  await vi.waitFor(() => {
    setting.clock.advance(100);
    expect(states.size).toBe(2);
  }, WAIT);
  expect((await states.next()).status).toBe('reconnecting');
  expect((await states.next()).status).toBe('stale');
  expect(troubles.size).toBe(1);
  expect(await troubles.next()).toBeInstanceOf(SubscriptionRefusedError);
});

it('the same holds on a connection that serves another watch', async () => {
  const setting = await startSetting();
  const first = setting.client.watchJob(jobId(1));
  setting.clock.advance(0);
  const peer = await setting.server.accept();
  const { id: subscription } = await peer.expect('subscribe');
  peer.send({ type: 'subscribed', id: subscription, job: sampleJob(1) });
  await vi.waitFor(() => expect(first.connection.status).toBe('live'), WAIT);
  const { states, troubles } = record(setting.client.watchJob(jobId(2)));
  peer.socket.on('message', (data) => {
    const { type, id } = JSON.parse(String(data)) as { type: string; id: string }; // of our own client
    peer.send(type === 'ping' ? { type: 'pong' } : errorFrame('internal', { id }));
  });
  await vi.waitFor(() => {
    setting.clock.advance(20);
    expect(states.size).toBe(2);
  }, WAIT);
  expect((await states.next()).status).toBe('reconnecting');
  expect((await states.next()).status).toBe('stale');
  expect(troubles.size).toBe(1);
  expect(first.connection.status).toBe('live');
  expect(setting.server.tickets).toBe(1);
  peer.socket.terminate();
  await vi.waitFor(() => expect(first.connection.status).toBe('reconnecting'), WAIT);
});

it('a list that is refused is told as trouble, since what a topic has missed stays unknown', async () => {
  const setting = await startSetting(async (get, url) => {
    if (url.endsWith('/tickets')) return Response.json(await get().server.ticket(), { status: 201 });
    return Response.json(problem('forbidden'), { status: 403 });
  });
  const watch = setting.client.watchTopic('owner:me');
  const { troubles } = record(watch);
  setting.clock.advance(0);
  const peer = await setting.server.accept();
  const { id } = await peer.expect('subscribe');
  peer.send({ type: 'subscribed', id, topic: 'owner:me' });
  expect(await troubles.next()).toMatchObject({ code: 'forbidden' });
  expect(watch.connection.status).toBe('live');
});

it('what the server asked for is no more than that where the clock is set back meanwhile', async () => {
  const setting = await startSetting(async () => {
    const { status, ...refusal } = problem('rate-limited');
    return Response.json({ status, ...refusal }, { status, headers: { 'retry-after': '5' } });
  });
  const { troubles } = record(setting.client.watchJob(jobId(1)));
  setting.clock.advance(0);
  expect(await troubles.next()).toBeInstanceOf(ProblemError);
  setting.clock.sleep(-3_600_000);
  setting.wake();
  expect(setting.clock.nextInMs).toBe(5_250);
});

it('a malformed frame before the first answer is told as trouble, and the watch is connecting still', async () => {
  const setting = await startSetting();
  const { states, troubles } = record(setting.client.watchJob(jobId(1)));
  setting.clock.advance(0);
  const peer = await setting.server.accept();
  const { id } = await peer.expect('subscribe');
  peer.socket.send('nonsense');
  peer.send({ type: 'subscribed', id, job: sampleJob(1) });
  expect((await states.next()).status).toBe('live');
  expect(troubles.size).toBe(1);
});
