import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Via } from '../../client/access.ts';
import { createJobwireClient } from '../../client/client.ts';
import { SubscriptionRefusedError, TicketRefusedError, WatchClosedError } from '../../client/errors.ts';
import type { JobWatch } from '../../client/job-watch.ts';
import type { WatchJobOptions } from '../../client/watch-client.ts';
import { problem } from '../../protocol/http.ts';
import { JobBroker } from './job-broker.ts';
import { JobSetting } from './job-setting.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

/* What is promised of a watch, by each way: over real sockets, a real broker, and HTTP. */

let setting: JobSetting;
let broker: JobBroker;
beforeEach(async () => {
  broker = await JobBroker.start();
  setting = await JobSetting.start({ broker, timings: { pingMs: 3_000 } });
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

/** Waits for what needs no time of the client's. */
async function soon(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { interval: 1, timeout: 10_000 });
}

function watchBy(via: Via, options: WatchJobOptions = {}) {
  const watch = setting.client.watchJob(jobId(1), { ...options, via });
  const seqs: number[] = [];
  watch.on((event) => {
    if (event.type === 'job') seqs.push(event.job.seq);
  });
  return { watch, seqs, ...record(watch) };
}

/** What a watch is called that is as fresh as its way can be. */
const FRESH = { websocket: 'live', iot: 'live', poll: 'polling', auto: 'live' } as const;

async function untilFresh(watch: JobWatch, via: Via): Promise<void> {
  await setting.until(() => watch.connection.status === FRESH[via] && watch.job !== undefined);
}

describe.each(['websocket', 'iot', 'poll', 'auto'] as const)('a watch by %s', (via) => {
  it('tells the state that is there, then what is newer, in order and none twice, and ends with the job', async () => {
    const { watch, seqs, states, troubles } = watchBy(via);
    await untilFresh(watch, via);
    expect(seqs).toEqual([1]);
    // Repeated, late, and one that was overtaken.
    for (const seq of [2, 2, 1, 4, 3, 5]) {
      setting.server.commit(sampleJob(seq));
      await settled();
    }
    await setting.until(() => seqs.at(-1) === 5);
    setting.server.commit(sampleJob(6, 'succeeded'));
    await setting.until(() => watch.connection.status === 'closed');
    expect((await watch.finished()).seq).toBe(6);
    expect(seqs.at(-1)).toBe(6);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => one - other));
    const told: string[] = [];
    while (states.size > 0) told.push((await states.next()).status);
    expect(told).toEqual([FRESH[via], 'closed']);
    expect(troubles.size).toBe(0);
    await soon(() => setting.server.open + setting.server.held + broker.open === 0);
  });

  it('gets the terminal state of a job that has ended before', async () => {
    setting.server.commit(sampleJob(2, 'failed'));
    const { watch, seqs } = watchBy(via);
    await setting.until(() => watch.connection.status === 'closed');
    expect((await watch.finished()).seq).toBe(2);
    expect(seqs).toEqual([2]);
  });

  it('says so when it is cut off, comes back by itself, and has missed nothing', async () => {
    const { watch, seqs, states } = watchBy(via);
    await untilFresh(watch, via);
    const lost = new TypeError('no network');
    setting.server.failure = lost;
    setting.server.release();
    setting.server.cut();
    broker.blocked = true;
    setting.server.commit(sampleJob(2), sampleJob(3));
    await setting.until(() => watch.connection.status === 'stale');
    expect(watch.connection).toMatchObject({ status: 'stale', confirmedAt: expect.any(Number) });
    setting.server.failure = undefined;
    broker.blocked = false;
    await setting.until(() => watch.connection.status === FRESH[via]);
    await setting.until(() => seqs.at(-1) === 3);
    expect(seqs).toEqual([1, 3]);
    const told: string[] = [];
    while (states.size > 0) told.push((await states.next()).status);
    expect(told).toEqual([FRESH[via], 'reconnecting', 'stale', FRESH[via]]);
  });

  it('comes back at once where somebody looks, but not before what the server asks for', async () => {
    const { watch, troubles } = watchBy(via);
    await untilFresh(watch, via);
    setting.server.failure = problem('rate-limited');
    setting.server.retryAfterSeconds = 12;
    setting.server.commit(sampleJob(2));
    setting.server.release();
    setting.server.cut();
    broker.blocked = true;
    await setting.until(() => troubles.size > 0);
    const requests = setting.server.requests.length;
    setting.server.failure = undefined;
    for (let times = 0; times < 10; times += 1) {
      setting.wake();
      setting.clock.advance(1_000);
      await settled();
    }
    expect(setting.server.requests).toHaveLength(requests);
    broker.blocked = false;
    await setting.until(() => watch.connection.status === FRESH[via]);
  });

  it('is closed at any moment, by hand or by signal, and leaves nothing behind', async () => {
    for (let steps = 0; steps < 12; steps += 1) {
      const abort = new AbortController();
      const { watch } = watchBy(via, { signal: abort.signal });
      for (let step = 0; step < steps; step += 1) {
        setting.clock.advance(0);
        await settled();
      }
      if (steps % 2 === 0) watch.close();
      else abort.abort(new Error('enough'));
      await expect(watch.finished()).rejects.toSatisfy((error) =>
        steps % 2 === 0 ? error instanceof WatchClosedError : String(error) === 'Error: enough',
      );
      expect(setting.clock.pending).toBe(0);
    }
    await soon(() => setting.server.open + setting.server.held + broker.open === 0);
  });

  it('ends with a typed error where the caller is refused', async () => {
    setting.server.failure = problem('unauthorized');
    const { watch } = watchBy(via);
    await setting.until(() => watch.connection.status === 'closed');
    await expect(watch.finished()).rejects.toBeInstanceOf(TicketRefusedError);
  });

  it('ends with a typed error where there is no such job', async () => {
    const watch = setting.client.watchJob(jobId(404), { via });
    await setting.until(() => watch.connection.status === 'closed');
    // By a broadcast the ticket is that of the job already.
    const expected = via === 'iot' ? TicketRefusedError : SubscriptionRefusedError;
    await expect(watch.finished()).rejects.toBeInstanceOf(expected);
  });

  it('shares what it has with another watch of the job', async () => {
    const first = watchBy(via);
    await untilFresh(first.watch, via);
    const second = watchBy(via);
    await setting.until(() => second.watch.job !== undefined);
    expect([setting.server.mostOpen, broker.mostOpen]).toEqual(
      { websocket: [1, 0], auto: [1, 0], iot: [0, 1], poll: [0, 0] }[via],
    );
    first.watch.close();
    setting.server.commit(sampleJob(2));
    await setting.until(() => second.watch.job?.seq === 2);
  });
});

describe.each(['websocket', 'iot'] as const)('what is lost on its way, by %s', (via) => {
  it('is told with the next heartbeat', async () => {
    const { watch, seqs, states } = watchBy(via);
    await untilFresh(watch, via);
    await states.next();
    broker.deaf = true;
    setting.server.commit(sampleJob(2));
    await soon(() => via !== 'iot' || broker.lost > 0);
    broker.deaf = false;
    expect(seqs).toEqual([1]);
    await setting.until(() => seqs.at(-1) === 2);
    expect(states.size).toBe(0);
  });
});

describe('a way', () => {
  it('never polls by websocket, however long sockets are blocked', async () => {
    setting.server.blocked = true;
    const { watch } = watchBy('websocket');
    await setting.until(() => watch.connection.status === 'stale');
    await setting.until(() => setting.server.requests.length > 5);
    expect(setting.server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  it('opens no socket and takes no ticket by poll, though a ticket is given', async () => {
    const ticket = vi.fn(() => Promise.reject(new Error('not wanted')));
    for (const options of [{}, { ticket }, { token: 'a' }]) {
      const { watch } = watchBy('poll', options);
      await untilFresh(watch, 'poll');
      watch.close();
    }
    expect(ticket).not.toHaveBeenCalled();
    expect(setting.server.requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
    expect(setting.server.sockets + broker.connections).toBe(0);
  });

  it('that is none is refused with the names of those that are', () => {
    const jobwire = createJobwireClient({ api: 'http://127.0.0.1', fetch: setting.server.fetch });
    // As from a script that no compiler has seen.
    const watch = () => jobwire.watchJob(jobId(1), { via: 'mqtt' as Via });
    expect(watch).toThrow(new TypeError('via is one of auto, websocket, iot, poll, not mqtt'));
    expect(setting.server.requests).toEqual([]);
  });

  it('has connections of its own beside the others', async () => {
    const watches = (['auto', 'websocket', 'iot', 'poll'] as const).map((via) => ({ via, ...watchBy(via) }));
    for (const { watch, via } of watches) await untilFresh(watch, via);
    expect([setting.server.open, broker.open]).toEqual([2, 1]);
    setting.server.commit(sampleJob(2, 'succeeded'));
    for (const { watch } of watches) await setting.until(() => watch.connection.status === 'closed');
  });
});
