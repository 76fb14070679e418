import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ConnectionRefusedError,
  ProblemError,
  SubscriptionRefusedError,
  TicketRefusedError,
  UnexpectedAnswerError,
  WatchClosedError,
} from '../../client/errors.ts';
import { byeFrame, errorFrame, jobFrame } from '../../protocol/frames.ts';
import { problem } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import type { AsyncQueue } from './async-queue.ts';
import type { Peer } from './fake-server.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record, Setting } from './setting.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await Setting.start();
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

/** Accepts a connection and confirms its one subscription with a snapshot. */
async function acceptAndConfirm(seq: number): Promise<Peer> {
  const peer = await setting.server.accept();
  const { id } = await peer.expect('subscribe');
  peer.send({ type: 'subscribed', id, job: sampleJob(seq) });
  return peer;
}

let confirmedSeq = 1_000;

/** Answers the ping that is due, and waits until the client has read the answer. */
async function answerPing(peer: Peer, jobs: AsyncQueue<Job>): Promise<void> {
  const { id } = await peer.expect('ping');
  peer.send({ type: 'pong', ...(id === undefined ? {} : { id }) });
  confirmedSeq += 1;
  peer.send(jobFrame(sampleJob(confirmedSeq)));
  while ((await jobs.next()).seq !== confirmedSeq);
}

describe('connecting', () => {
  it('offers the subprotocol and the ticket, and keeps the ticket out of the URL', async () => {
    const { states, jobs } = setting.watch(jobId(1));
    const peer = await setting.server.accept();
    expect(peer.offered).toEqual(['jobwire.v1', 'ticket.t1']);
    expect(peer.target).toBe('/');
    const frame = await peer.expect('subscribe');
    expect(frame).toEqual({ type: 'subscribe', id: frame.id, job: jobId(1) });
    peer.send({ type: 'subscribed', id: frame.id, job: sampleJob(3) });
    expect(await states.next()).toEqual({ status: 'live' });
    expect((await jobs.next()).seq).toBe(3);
  });

  it('uses a ticket that it is given once, and takes its own from then on', async () => {
    const { states } = setting.watch(jobId(1), { ticket: await setting.server.ticket() });
    expect(setting.server.tickets).toBe(1);
    const peer = await acceptAndConfirm(1);
    expect(peer.offered).toEqual(['jobwire.v1', 'ticket.t1']);
    expect((await states.next()).status).toBe('live');
    peer.socket.terminate();
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    expect((await acceptAndConfirm(1)).offered).toEqual(['jobwire.v1', 'ticket.t2']);
  });

  it('shares one connection among all that is watched as the caller, and unsubscribes what is left', async () => {
    const topic = setting.client.watchTopic('owner:me');
    const first = setting.client.watchJob(jobId(1));
    setting.clock.advance(0);
    const peer = await setting.server.accept();
    expect(await peer.expect('subscribe')).toMatchObject({ topic: 'owner:me' });
    expect(await peer.expect('subscribe')).toMatchObject({ job: jobId(1) });
    const second = setting.client.watchJob(jobId(2));
    expect(await peer.expect('subscribe')).toMatchObject({ job: jobId(2) });
    second.close();
    expect(await peer.expect('unsubscribe')).toMatchObject({ job: jobId(2) });
    expect(setting.server.tickets).toBe(1);
    first.close();
    topic.close();
    expect(await peer.closed).toBe(1000);
  });

  it('shares one connection among the watches of one token or one callback, and forgets it with the last', async () => {
    const { client, clock, server } = setting;
    const byToken = [client.watchJob(jobId(1), { token: 'a' }), client.watchJob(jobId(2), { token: 'a' })];
    const byCallback = [1, 2].map((number) => client.watchJob(jobId(number), { ticket: server.ticket }));
    clock.advance(0);
    const peers = [await server.accept(), await server.accept()];
    for (const peer of peers) {
      await peer.expect('subscribe');
      await peer.expect('subscribe');
    }
    expect(server.tickets).toBe(2);
    for (const watch of [...byToken, ...byCallback]) watch.close();
    for (const peer of peers) await peer.closed;
    client.watchJob(jobId(1), { token: 'a' });
    clock.advance(0);
    await (await server.accept()).expect('subscribe');
    expect(server.tickets).toBe(3);
  });

  it('says reconnecting, then stale, while no ticket comes, and reports why', async () => {
    const unreachable = new Error('no network');
    const { states, troubles } = setting.watch(jobId(1), { ticket: () => Promise.reject(unreachable) });
    const since = setting.clock.now();
    expect(await troubles.next()).toBe(unreachable);
    expect(await states.next()).toEqual({ status: 'reconnecting', since });
    while (setting.clock.now() < since + 15_000) {
      setting.clock.advance(100);
      await Promise.resolve();
    }
    expect(await states.next()).toEqual({ status: 'stale' });
  });

  it('gives up an attempt that takes too long, and makes another', async () => {
    const { states } = setting.watch(jobId(1), {
      ticket: (signal) =>
        setting.server.tickets === 0 && !signal.aborted
          ? new Promise(() => {
              setting.server.tickets += 1;
            })
          : setting.server.ticket(),
    });
    setting.clock.advance(15_000);
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    await acceptAndConfirm(1);
    expect((await states.next()).status).toBe('live');
  });
});

describe('states', () => {
  it('drops what is repeated or reordered, and hears all that is newer', async () => {
    const { jobs } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(5);
    for (const seq of [6, 6, 5, 9, 7, 8, 10]) peer.send(jobFrame(sampleJob(seq)));
    const seen: number[] = [];
    while (seen.at(-1) !== 10) seen.push((await jobs.next()).seq);
    expect(seen).toEqual([5, 6, 9, 10]);
  });

  it('keeps the larger seq when a change comes before the snapshot', async () => {
    const { jobs } = setting.watch(jobId(1));
    const peer = await setting.server.accept();
    const { id } = await peer.expect('subscribe');
    peer.send(jobFrame(sampleJob(8)));
    peer.send({ type: 'subscribed', id, job: sampleJob(7) });
    peer.send(jobFrame(sampleJob(9)));
    expect([(await jobs.next()).seq, (await jobs.next()).seq]).toEqual([8, 9]);
  });

  it('closes by itself once the job is terminal, and leaves no timer behind', async () => {
    const { watch, states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(1);
    peer.send(jobFrame(sampleJob(2, 'succeeded')));
    expect((await watch.finished()).seq).toBe(2);
    expect(await peer.closed).toBe(1000);
    expect([await states.next(), await states.next()]).toEqual([{ status: 'live' }, { status: 'closed' }]);
    expect(setting.clock.pending).toBe(0);
    expect(setting.listeners).toBe(0);
  });

  it('stays open for a topic, and hears new jobs', async () => {
    const watch = setting.client.watchTopic('owner:me');
    const { jobs } = record(watch);
    setting.clock.advance(0);
    const peer = await setting.server.accept();
    const { id } = await peer.expect('subscribe');
    peer.send({ type: 'subscribed', id, topic: 'owner:me' });
    watch.add([sampleJob(4, 'running', { id: jobId(7) })]);
    peer.send(jobFrame(sampleJob(3, 'running', { id: jobId(7) })));
    peer.send(jobFrame(sampleJob(2, 'failed', { id: jobId(8) })));
    expect((await jobs.next()).id).toBe(jobId(7));
    expect((await jobs.next()).id).toBe(jobId(8));
    setting.clock.advance(25_000);
    // Terminal jobs need no head; the one that came from a list has one.
    expect((await peer.expect('ping')).heads).toEqual({ [jobId(7)]: 4 });
    // What comes late of a job that has ended is no news.
    peer.send(jobFrame(sampleJob(1, 'running', { id: jobId(8) })));
    peer.send(jobFrame(sampleJob(1, 'queued', { id: jobId(9) })));
    expect((await jobs.next()).id).toBe(jobId(9));
  });

  it('iterates over the states, ends with the terminal one', async () => {
    const { watch } = setting.watch(jobId(1));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const job of watch) seen.push(job.status);
    })();
    const peer = await acceptAndConfirm(1);
    peer.send(jobFrame(sampleJob(2, 'cancelled')));
    await reading;
    expect(seen.at(-1)).toBe('cancelled');
  });

  it('reports a malformed frame once, ignores unknown types, and goes on', async () => {
    const { jobs, troubles } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(1);
    peer.socket.send('{');
    peer.socket.send(Buffer.from('{}'));
    peer.socket.send(JSON.stringify({ type: 'job', job: { id: 'no' } }));
    peer.socket.send(JSON.stringify({ type: 'weather', id: '1' }));
    peer.socket.send(JSON.stringify({ message: 'Forbidden', connectionId: 'a', requestId: 'b' }));
    peer.send(jobFrame(sampleJob(2)));
    expect([(await jobs.next()).seq, (await jobs.next()).seq]).toEqual([1, 2]);
    expect(await troubles.next()).toBeInstanceOf(UnexpectedAnswerError);
    expect(troubles.size).toBe(0);
  });
});

describe('reconnecting', () => {
  it('resumes with what it has and a new ticket after the connection is cut', async () => {
    const { jobs, states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(5);
    expect((await states.next()).status).toBe('live');
    peer.socket.terminate();
    expect(await states.next()).toEqual({ status: 'reconnecting', since: setting.clock.now() });
    expect(setting.clock.nextInMs).toBe(250);
    setting.clock.advance(250);
    const next = await setting.server.accept();
    expect(next.offered).toEqual(['jobwire.v1', 'ticket.t2']);
    const frame = await next.expect('subscribe');
    expect(frame).toMatchObject({ since: { epoch: sampleJob(5).epoch, seq: 5 } });
    const { epoch } = sampleJob(5);
    next.send({ type: 'subscribed', id: frame.id, head: { job: jobId(1), epoch, seq: 5 } });
    expect((await states.next()).status).toBe('live');
    next.send(jobFrame(sampleJob(6)));
    expect([(await jobs.next()).seq, (await jobs.next()).seq]).toEqual([5, 6]);
  });

  it('reconnects when a ping is not answered', async () => {
    const { states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(5);
    expect((await states.next()).status).toBe('live');
    setting.clock.advance(25_000);
    const { heads } = await peer.expect('ping');
    expect(heads).toEqual({ [jobId(1)]: 5 });
    setting.clock.advance(9_999);
    expect(states.size).toBe(0);
    setting.clock.advance(1);
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    await acceptAndConfirm(6);
    expect((await states.next()).status).toBe('live');
  });

  it('goes on pinging while pings are answered', async () => {
    const { states, jobs } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(5);
    expect((await states.next()).status).toBe('live');
    for (let round = 0; round < 4; round += 1) {
      setting.clock.advance(25_000);
      await answerPing(peer, jobs);
    }
    expect(states.size).toBe(0);
    expect(setting.clock.pending).toBe(2); // the next ping, and the next connection
  });

  it('backs off longer each time and forgets it only after a stable minute', async () => {
    const { states, jobs } = setting.watch(jobId(1));
    const delays: (number | undefined)[] = [];
    for (const liveMs of [0, 0, 59_000, 60_000, 0]) {
      const peer = await acceptAndConfirm(1);
      expect((await states.next()).status).toBe('live');
      for (let passed = 25_000; passed <= liveMs; passed += 25_000) {
        setting.clock.advance(25_000);
        await answerPing(peer, jobs);
      }
      setting.clock.advance(liveMs % 25_000);
      peer.socket.terminate();
      expect((await states.next()).status).toBe('reconnecting');
      delays.push(setting.clock.nextInMs);
      setting.clock.advance(setting.clock.nextInMs ?? 0);
    }
    expect(delays).toEqual([250, 500, 1000, 250, 500]);
  });

  it('comes back when the server wants it, also where somebody looks before', async () => {
    const { states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(1);
    expect((await states.next()).status).toBe('live');
    peer.send(byeFrame(3013, { retryAfterMs: 5_000 }));
    expect((await states.next()).status).toBe('reconnecting');
    setting.wake();
    expect(setting.clock.nextInMs).toBe(5_250);
    setting.clock.advance(5_250);
    await acceptAndConfirm(2);
    expect((await states.next()).status).toBe('live');
  });

  it('does not call a connection live after a sleep until the server has spoken', async () => {
    const { states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(1);
    expect((await states.next()).status).toBe('live');
    const confirmedAt = setting.clock.now();
    setting.clock.sleep(3_600_000);
    setting.wake();
    expect(await states.next()).toEqual({ status: 'stale', confirmedAt });
    const { id } = await peer.expect('ping');
    peer.send({ type: 'pong', ...(id === undefined ? {} : { id }) });
    expect((await states.next()).status).toBe('live');
  });

  it('subscribes again on the same connection when the server asks for patience', async () => {
    const { states } = setting.watch(jobId(1));
    const peer = await setting.server.accept();
    const { id } = await peer.expect('subscribe');
    peer.send(errorFrame('rate-limited', { id, retryAfterMs: 2_000 }));
    await vi.waitFor(() => expect(setting.clock.nextInMs).toBe(2_250), { interval: 1 });
    setting.clock.advance(2_250);
    const again = await peer.expect('subscribe');
    peer.send({ type: 'subscribed', id: again.id, job: sampleJob(1) });
    expect((await states.next()).status).toBe('live');
  });
});

describe('the end', () => {
  it.each([3500, 3501, 3504, 3507] as const)('stops with a typed error at bye %i', async (code) => {
    const { watch, states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(1);
    expect((await states.next()).status).toBe('live');
    peer.send(byeFrame(code));
    await expect(watch.finished()).rejects.toBeInstanceOf(ConnectionRefusedError);
    await expect(watch.finished()).rejects.toMatchObject({ code });
    expect(await states.next()).toMatchObject({ status: 'closed', error: { code } });
    await peer.closed;
    expect(setting.clock.pending).toBe(0);
  });

  it.each([3001, 3005, 3013] as const)('comes back after bye %i', async (code) => {
    const { states } = setting.watch(jobId(1));
    const peer = await acceptAndConfirm(1);
    expect((await states.next()).status).toBe('live');
    peer.send(byeFrame(code));
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    await acceptAndConfirm(1);
    expect((await states.next()).status).toBe('live');
  });

  it.each(['unauthorized', 'forbidden'] as const)('stops when the ticket is %s', async (code) => {
    const refusal = new ProblemError(problem(code));
    const { watch, states } = setting.watch(jobId(1), { ticket: () => Promise.reject(refusal) });
    await expect(watch.finished()).rejects.toBeInstanceOf(TicketRefusedError);
    await expect(watch.finished()).rejects.toMatchObject({ cause: refusal });
    expect((await states.next()).status).toBe('closed');
    expect(setting.clock.pending).toBe(0);
  });

  it('ends one refused subscription alone', async () => {
    const topic = setting.client.watchTopic('owner:me');
    const { states } = record(topic);
    const job = setting.client.watchJob(jobId(1));
    setting.clock.advance(0);
    const peer = await setting.server.accept();
    const one = await peer.expect('subscribe');
    const other = await peer.expect('subscribe');
    peer.send({ type: 'subscribed', id: one.id, topic: 'owner:me' });
    peer.send(errorFrame('not-found', { id: other.id }));
    await expect(job.finished()).rejects.toBeInstanceOf(SubscriptionRefusedError);
    expect((await states.next()).status).toBe('live');
    expect(topic.connection.status).toBe('live');
    expect(setting.server.open).toBe(1);
  });

  it('does not call a connection failing because of a subscription that it refused', async () => {
    const topic = setting.client.watchTopic('owner:me');
    const { states } = record(topic);
    const job = setting.client.watchJob(jobId(1));
    setting.clock.advance(0);
    (await setting.server.accept()).socket.terminate();
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    const peer = await setting.server.accept();
    const one = await peer.expect('subscribe');
    const other = await peer.expect('subscribe');
    peer.send({ type: 'subscribed', id: one.id, topic: 'owner:me' });
    peer.send(errorFrame('forbidden', { id: other.id }));
    await expect(job.finished()).rejects.toMatchObject({ code: 'forbidden' });
    expect(setting.client.watchJob(jobId(2)).connection).toEqual({ status: 'connecting' });
  });

  it('ends with the reason of the signal, or a typed error after close', async () => {
    const abort = new AbortController();
    const aborted = setting.watch(jobId(1), { signal: abort.signal });
    const closed = setting.watch(jobId(1));
    abort.abort(new Error('enough'));
    closed.watch.close();
    await expect(aborted.watch.finished()).rejects.toThrow('enough');
    await expect(closed.watch.finished()).rejects.toBeInstanceOf(WatchClosedError);
    expect(setting.clock.pending).toBe(0);
  });
});
