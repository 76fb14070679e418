import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TicketRefusedError } from '../../client/errors.ts';
import { errorFrame, jobFrame } from '../../protocol/frames.ts';
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

/** Accepts a connection and confirms its next subscriptions. */
async function accept(subscriptions = 1): Promise<Peer> {
  const peer = await setting.server.accept();
  for (let number = 1; number <= subscriptions; number += 1) {
    const { id, ...target } = await peer.expect('subscribe');
    if ('job' in target)
      peer.send({ type: 'subscribed', id, job: sampleJob(1, 'running', { id: target.job }) });
  }
  return peer;
}

describe('a watch that is closed and begun again at once', () => {
  it.each([
    ['overtakes', ['subscribed', 'unsubscribed']],
    ['follows', ['unsubscribed', 'subscribed']],
  ] as const)(
    'is subscribed in the end, where its subscription %s the end of the one before',
    async (_how, order) => {
      const other = setting.client.watchJob(jobId(2));
      const first = setting.client.watchJob(jobId(1));
      setting.clock.advance(0);
      const peer = await accept(2);
      await vi.waitFor(() => expect(other.job && first.job).toBeDefined(), { interval: 1 });
      first.close();
      const again = setting.client.watchJob(jobId(1));
      const { jobs } = record(again);
      const ended = await peer.expect('unsubscribe');
      const begun = await peer.expect('subscribe');
      expect(begun.id).not.toBe(ended.id);
      const answers = {
        unsubscribed: { type: 'unsubscribed', id: ended.id },
        subscribed: { type: 'subscribed', id: begun.id, job: sampleJob(1) },
      } as const;
      for (const type of order) peer.send(answers[type]);
      // The server may have handled them in either order, whatever the order of its answers.
      const { id, ...target } = await peer.expect('subscribe');
      expect(target).toMatchObject({ job: jobId(1) });
      peer.send({ type: 'subscribed', id, job: sampleJob(2) });
      while ((await jobs.next()).seq !== 2);
      expect(again.connection.status).toBe('live');
    },
  );

  it('does not take an error about the end of the one before for its own', async () => {
    setting.client.watchJob(jobId(2));
    const first = setting.client.watchJob(jobId(1));
    setting.clock.advance(0);
    const peer = await accept(2);
    first.close();
    const again = setting.client.watchJob(jobId(1));
    const ended = await peer.expect('unsubscribe');
    const begun = await peer.expect('subscribe');
    peer.send(errorFrame('not-found', { id: ended.id }));
    peer.send({ type: 'subscribed', id: begun.id, job: sampleJob(3, 'succeeded') });
    expect((await again.finished()).seq).toBe(3);
  });
});

describe('the back-off', () => {
  it('does not begin anew a minute after a line that has died since', async () => {
    const calls: number[] = [];
    const { states } = setting.watch(jobId(1), {
      ticket: async () => {
        if (calls.push(setting.clock.now()) > 1) throw new Error('no network');
        return setting.server.ticket();
      },
    });
    const peer = await accept();
    expect((await states.next()).status).toBe('live');
    peer.socket.terminate();
    expect((await states.next()).status).toBe('reconnecting');
    for (let passed = 0; passed < 120_000; passed += 250) {
      setting.clock.advance(250);
      await settled();
    }
    const waits = calls.slice(2).map((call, index) => call - (calls[index + 1] ?? 0));
    expect(waits.length).toBeGreaterThan(8);
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
  });

  it('of one refused subscription leaves that of others alone', async () => {
    setting.client.watchJob(jobId(1));
    setting.client.watchJob(jobId(2));
    setting.clock.advance(0);
    const peer = await setting.server.accept();
    const begun = setting.clock.now();
    for (const id of [(await peer.expect('subscribe')).id, (await peer.expect('subscribe')).id])
      peer.send(errorFrame('rate-limited', { id }));
    await vi.waitFor(() => expect(setting.clock.nextInMs).toBe(250), { interval: 1 });
    setting.clock.advance(250);
    await peer.expect('subscribe');
    await peer.expect('subscribe');
    expect(setting.clock.now() - begun).toBe(250);
  });
});

describe('a wake', () => {
  it('makes the next attempt at once', async () => {
    const { states } = setting.watch(jobId(1));
    const peer = await accept();
    expect((await states.next()).status).toBe('live');
    peer.socket.terminate();
    expect((await states.next()).status).toBe('reconnecting');
    setting.wake();
    expect(setting.clock.nextInMs).toBe(0);
    setting.clock.advance(0);
    await accept();
    expect((await states.next()).status).toBe('live');
  });

  it('does not give a dead line more time, however often it comes', async () => {
    const { states } = setting.watch(jobId(1));
    await accept();
    expect((await states.next()).status).toBe('live');
    for (const _second of [1, 2, 3, 4, 5]) {
      setting.wake();
      setting.clock.advance(1_000);
    }
    expect((await states.next()).status).toBe('reconnecting');
  });

  it('gives an attempt that hangs no more time than a ping', async () => {
    const tickets = [new Promise<never>(() => {}), setting.server.ticket()];
    const { states } = setting.watch(jobId(1), { ticket: () => tickets.shift() ?? setting.server.ticket() });
    setting.wake();
    setting.clock.advance(5_000);
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    await accept();
    expect((await states.next()).status).toBe('live');
  });

  it('leaves no timer behind when a listener closes the watch at what it brings to light', async () => {
    const { watch, states } = setting.watch(jobId(1));
    await accept();
    expect((await states.next()).status).toBe('live');
    watch.on((event) => {
      if (event.type === 'connection' && event.connection.status === 'stale') watch.close();
    });
    setting.clock.sleep(3_600_000);
    setting.wake();
    expect(watch.connection.status).toBe('closed');
    await settled();
    expect(setting.clock.pending).toBe(0);
  });
});

describe('a callback for tickets', () => {
  it('ends its watches by the error that says so', async () => {
    const refusal = new TicketRefusedError('signed out');
    const { watch } = setting.watch(jobId(1), { ticket: () => Promise.reject(refusal) });
    await expect(watch.finished()).rejects.toMatchObject({ name: 'TicketRefusedError', cause: refusal });
  });

  it('that throws before it returns a promise is tried again', async () => {
    let calls = 0;
    const refuse = () => {
      calls += 1;
      if (calls === 1) throw new Error('not signed in');
      return setting.server.ticket();
    };
    const { states, troubles } = setting.watch(jobId(1), { ticket: refuse });
    expect(await troubles.next()).toMatchObject({ message: 'not signed in' });
    expect((await states.next()).status).toBe('reconnecting');
    setting.clock.advance(250);
    const peer = await accept();
    expect((await states.next()).status).toBe('live');
    peer.send(jobFrame(sampleJob(2)));
  });
});
