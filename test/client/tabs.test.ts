import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SubscriptionRefusedError } from '../../client/errors.ts';
import { createWatchClient } from '../../client/watch-client.ts';
import type { Watching } from '../../client/watcher.ts';
import { JobServer } from './job-server.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';
import { TestTab } from './test-tab.ts';

let server: JobServer;
let tabs: TestTab[] = [];
beforeEach(async () => {
  server = await JobServer.start();
  server.commit(sampleJob(1));
});
afterEach(async () => {
  for (const tab of tabs) tab.client.close();
  tabs = [];
  await server[Symbol.asyncDispose]();
});

function openTab(
  ...options: ConstructorParameters<typeof TestTab> extends [unknown, ...infer Rest] ? Rest : never
): TestTab {
  const tab = new TestTab(server, ...options);
  tabs.push(tab);
  return tab;
}

function live(watch: Watching): Promise<void> {
  return vi.waitFor(() => expect(watch.connection.status).toBe('live'), { interval: 1, timeout: 5_000 });
}

/** Watches the job in a new tab and notes every seq that the watch tells. */
function watchInTab(...options: Parameters<typeof openTab>) {
  const tab = openTab(...options);
  const watch = tab.client.watchJob(jobId(1));
  const seqs: number[] = [];
  watch.on((event) => {
    if (event.type === 'job') seqs.push(event.job.seq);
  });
  return { tab, watch, seqs, ...record(watch) };
}

async function seen(watched: { seqs: number[] }[], seq: number): Promise<void> {
  await vi.waitFor(() => expect(watched.map(({ seqs }) => seqs.at(-1))).toEqual(watched.map(() => seq)), {
    interval: 1,
    timeout: 5_000,
  });
}

describe('tabs', () => {
  it('make one connection of ten, which hears everything, and say no token or ticket to each other', async () => {
    const all = Array.from({ length: 10 }, () => watchInTab());
    await Promise.all(all.map(({ watch }) => live(watch)));
    for (let seq = 2; seq <= 20; seq += 1) server.commit(sampleJob(seq));
    await seen(all, 20);
    for (const { seqs } of all) expect(seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(server.sockets).toBe(1);
    expect(server.requests).toEqual(['POST /tickets']);
    const said = JSON.stringify(all.map(({ tab }) => tab.said));
    expect(said).not.toMatch(/ticket|token|protocols/i);
    // One message a change, however many tabs hear of it.
    expect(said.match(/"seq":20,"status"/g)).toHaveLength(1);
  });

  it.each(['closes', 'crashes'])(
    'take over within two seconds when the leader %s, and miss nothing',
    async (how) => {
      const leader = watchInTab();
      await live(leader.watch);
      const others = [watchInTab(), watchInTab(), watchInTab()];
      await Promise.all(others.map(({ watch }) => live(watch)));
      await seen(others, 1);
      server.commit(sampleJob(2));
      await seen(others, 2);
      const begun = performance.now();
      if (how === 'closes') leader.tab.client.close();
      else leader.tab.crash();
      server.commit(sampleJob(3)); // committed while nobody is connected
      await seen(others, 3);
      expect(performance.now() - begun).toBeLessThan(2_000);
      await Promise.all(others.map(({ watch }) => live(watch)));
      server.commit(sampleJob(4), sampleJob(5, 'succeeded'));
      for (const { watch, seqs, states } of others) {
        const told: string[] = [];
        while (states.size > 0) told.push((await states.next()).status);
        expect(told).toEqual(['live', 'reconnecting', 'live']);
        expect((await watch.finished()).seq).toBe(5);
        expect(seqs).toEqual([1, 2, 3, 4, 5]);
      }
      expect(server.sockets).toBe(2);
      expect(server.mostOpen).toBeLessThanOrEqual(how === 'closes' ? 2 : 1);
      await vi.waitFor(() => expect(server.open).toBe(0), { interval: 1 });
    },
  );

  it('subscribe once to what many watch, also after a takeover', async () => {
    const leader = watchInTab();
    await live(leader.watch);
    const others = Array.from({ length: 9 }, () => watchInTab());
    for (const { tab } of others) tab.client.watchTopic('owner:me');
    await Promise.all(others.map(({ watch }) => live(watch)));
    await seen(others, 1);
    const before = server.frames.length;
    leader.tab.crash();
    server.commit(sampleJob(2));
    await seen(others, 2);
    await Promise.all(others.map(({ watch }) => live(watch)));
    const subscribes = server.frames.slice(before).filter(({ type }) => type === 'subscribe');
    expect(subscribes).toHaveLength(2);
  });

  it('depose a leader that hangs, and say so until the next has taken over', async () => {
    const timings = { pingMs: 40, answerMs: 40, wakeAnswerMs: 20 };
    const leader = watchInTab({ ...timings, pingMs: 25_000, answerMs: 10_000 });
    await live(leader.watch);
    const follower = watchInTab(timings);
    await live(follower.watch);
    leader.tab.hang();
    while ((await follower.states.next()).status !== 'reconnecting');
    await live(follower.watch);
    server.commit(sampleJob(2));
    await seen([follower], 2);
    await vi.waitFor(() => expect(server.open).toBe(1), { interval: 1 });
  });

  it('depose a leader that hangs one after the other, though all are looked at in the same moment', async () => {
    const timings = { pingMs: 2_000, answerMs: 2_000, wakeAnswerMs: 1_000 };
    const leader = watchInTab(timings);
    await live(leader.watch);
    const others = Array.from({ length: 9 }, () => watchInTab(timings));
    await Promise.all(others.map(({ watch }) => live(watch)));
    leader.tab.hang();
    for (const { tab } of others) tab.wake();
    await vi.waitFor(() => expect(server.sockets).toBe(2), { interval: 1, timeout: 5_000 });
    server.commit(sampleJob(2));
    await seen(others, 2);
    await Promise.all(others.map(({ watch }) => live(watch)));
    expect(server.sockets).toBe(2);
    const said = JSON.stringify(others.map(({ tab }) => tab.said));
    expect(said.match(/"lead":true/g)?.length).toBeLessThan(5);
  });

  it('go on being served by a leader whose own watches are over', async () => {
    const leader = watchInTab();
    await live(leader.watch);
    const follower = watchInTab();
    await live(follower.watch);
    leader.watch.close();
    server.commit(sampleJob(2));
    await seen([follower], 2);
    expect(server.sockets).toBe(1);
    follower.watch.close();
    await vi.waitFor(() => expect(server.open).toBe(0), { interval: 1 });
  });

  it('forget a follower that crashes', async () => {
    const leader = watchInTab();
    await live(leader.watch);
    const follower = openTab();
    const topic = follower.client.watchTopic('owner:me');
    await live(topic);
    follower.crash();
    await vi.waitFor(
      () =>
        expect(server.frames).toContainEqual(
          expect.objectContaining({ type: 'unsubscribe', topic: 'owner:me' }),
        ),
      { interval: 1 },
    );
    expect(leader.watch.connection.status).toBe('live');
  });

  it('hear a typed error when their own watch is refused, and nothing of the errors of others', async () => {
    const leader = watchInTab();
    await live(leader.watch);
    const follower = openTab();
    const refused = follower.client.watchJob(jobId(404));
    await expect(refused.finished()).rejects.toBeInstanceOf(SubscriptionRefusedError);
    await expect(refused.finished()).rejects.toMatchObject({ code: 'not-found' });
    expect(leader.watch.connection.status).toBe('live');
  });

  it('catch up with a topic after a takeover, since a topic has no snapshot', async () => {
    const leader = watchInTab();
    await live(leader.watch);
    const follower = openTab();
    const topic = follower.client.watchTopic('owner:me');
    const { jobs } = record(topic);
    await live(topic);
    leader.tab.crash();
    server.commit(sampleJob(1, 'queued', { id: jobId(2) }));
    while ((await jobs.next()).id !== jobId(2));
  });

  it('with another subject share nothing', async () => {
    const one = watchInTab({}, 'ada');
    const other = watchInTab({}, 'eve');
    await Promise.all([live(one.watch), live(other.watch)]);
    expect(server.sockets).toBe(2);
  });

  it('of which the leader wakes its connection when a follower is looked at', async () => {
    const leader = watchInTab();
    await live(leader.watch);
    const follower = watchInTab();
    await live(follower.watch);
    follower.tab.wake();
    await vi.waitFor(() => expect(server.frames.at(-1)?.type).toBe('ping'), { interval: 1 });
  });

  it.each(['locks', 'channels'])('connect by themselves where %s are forbidden', async (what) => {
    const denied = new DOMException('forbidden in this frame', 'SecurityError');
    const openChannel = () => {
      if (what === 'channels') throw denied;
      return { onmessage: null, postMessage() {}, close() {} };
    };
    const client = createWatchClient({
      api: 'http://127.0.0.1',
      fetch: server.fetch,
      onWake: () => () => {},
      locks: { request: () => Promise.reject(denied) },
      openChannel,
    });
    const watch = client.watchJob(jobId(1));
    await live(watch);
    client.close();
    await vi.waitFor(() => expect(server.open).toBe(0), { interval: 1 });
  });
});
