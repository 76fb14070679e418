import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  ProblemError,
  SubscriptionRefusedError,
  TicketRefusedError,
  UnexpectedAnswerError,
} from '../../client/errors.ts';
import { createWatchClient, type WatchJobOptions } from '../../client/watch-client.ts';
import { type Problem, problem, type Watch } from '../../protocol/http.ts';
import { JobBroker } from './job-broker.ts';
import { JobServer } from './job-server.ts';
import { JobSetting } from './job-setting.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

/* What is different by a broadcast: the broker, what it retains, and what it may refuse. */

let setting: JobSetting;
let broker: JobBroker;
/** While set, what the state is asked for is answered with. */
let unreadable: Problem | undefined;
beforeEach(async () => {
  broker = await JobBroker.start();
  unreadable = undefined;
  setting = await JobSetting.start({
    broker,
    timings: { pingMs: 3_000, rotateMs: 60_000 },
    fetch: async (server, url, init) =>
      unreadable !== undefined && init?.method !== 'POST'
        ? Response.json(unreadable, { status: unreadable.status })
        : await server.fetch(url, init),
  });
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

function watchBroadcast(options: WatchJobOptions = {}) {
  const watch = setting.client.watchJob(jobId(1), { ...options, via: 'iot' });
  const seqs: number[] = [];
  watch.on((event) => {
    if (event.type === 'job') seqs.push(event.job.seq);
  });
  return { watch, seqs, ...record(watch) };
}

/** A ticket of the server, as a callback of somebody else hands it out. */
async function ticket(): Promise<Watch> {
  const answer = await setting.server.fetch(`http://127.0.0.1/jobs/${jobId(1)}/tickets`, { method: 'POST' });
  return (await answer.json()) as Watch; // what the server has just made
}

describe('the snapshot of a broadcast', () => {
  it.each([
    ['nothing is retained, or not any more', ''],
    ['what is retained lags', JSON.stringify({ type: 'job', job: sampleJob(1) })],
  ])('is read beside it where %s', async (_what, retained) => {
    broker.deaf = true;
    setting.server.commit(sampleJob(4));
    broker.publish(jobId(1), retained);
    await settled();
    broker.deaf = false;
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    expect(watch.job?.seq).toBe(4);
  });

  it('is asked for with what the watch has, when it comes back', async () => {
    const { watch, seqs } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    setting.server.cut();
    await setting.until(() => watch.connection.status === 'reconnecting');
    await setting.until(() => watch.connection.status === 'live');
    const { epoch } = sampleJob(1);
    expect(setting.server.requests.at(-1)).toBe(`GET /jobs/${jobId(1)} after "${epoch}.1"`);
    expect(seqs).toEqual([1]);
  });

  it('is what the broker retains, where a callback gives tickets and nothing else', async () => {
    const { watch, seqs } = watchBroadcast({ ticket });
    await setting.until(() => watch.connection.status === 'live' && seqs.length > 0);
    setting.server.commit(sampleJob(2, 'succeeded'));
    expect((await watch.finished()).seq).toBe(2);
    expect(setting.server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  it('is asked for again while it cannot be read, and what is broadcast is told meanwhile', async () => {
    unreadable = problem('internal');
    const { watch, seqs, troubles } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'stale');
    expect(await troubles.next()).toMatchObject({ code: 'internal' });
    expect(seqs).toEqual([1]);
    unreadable = undefined;
    await setting.until(() => watch.connection.status === 'live');
    expect(broker.connections).toBe(1);
  });

  it('that is refused ends the watch with the code', async () => {
    unreadable = problem('forbidden');
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'closed');
    await expect(watch.finished()).rejects.toMatchObject({
      name: 'SubscriptionRefusedError',
      code: 'forbidden',
    });
  });
});

describe('a broker', () => {
  it('is heard over the sockets of the package ws, too', async () => {
    const other = createWatchClient({
      api: 'http://127.0.0.1',
      fetch: setting.server.fetch,
      onWake: () => () => {},
      WebSocket,
    });
    const watch = other.watchJob(jobId(1), { via: 'iot' });
    await setting.until(() => watch.connection.status === 'live');
    setting.server.commit(sampleJob(2, 'succeeded'));
    expect((await watch.finished()).seq).toBe(2);
  });

  it('is asked for the ticket by the name of the job, with a name that no other connection has', async () => {
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    setting.server.cut();
    await setting.until(() => watch.connection.status === 'reconnecting');
    await setting.until(() => watch.connection.status === 'live');
    expect(setting.server.requests.filter((request) => request.startsWith('POST'))).toEqual([
      `POST /jobs/${jobId(1)}/tickets`,
      `POST /jobs/${jobId(1)}/tickets`,
    ]);
    expect(new Set(broker.clientIds).size).toBe(2);
    for (const id of broker.clientIds) expect(id).toMatch(new RegExp(`^${jobId(1)}-[0-9a-f]{22}$`));
  });

  it('hears that each message has come, and pings', async () => {
    const { watch, seqs } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    setting.server.commit(sampleJob(2));
    await setting.until(() => seqs.at(-1) === 2);
    await setting.until(() => broker.heard.includes('PUBACK') && broker.heard.includes('PINGREQ'));
    expect(watch.connection.status).toBe('live');
  });

  it('that is silent counts as gone', async () => {
    const { watch, states } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    broker.hold();
    await setting.until(() => watch.connection.status === 'reconnecting');
    await setting.until(() => watch.connection.status === 'live');
    expect(broker.connections).toBe(2);
    expect(states.size).toBe(3);
  });

  it('is followed by the next connection before the old one is closed', async () => {
    const { watch, seqs, states } = watchBroadcast();
    await setting.until(() => broker.connections === 2 && broker.open === 2);
    setting.server.commit(sampleJob(2));
    await setting.until(() => seqs.at(-1) === 2);
    await setting.until(() => broker.open === 1);
    expect(watch.connection.status).toBe('live');
    expect(states.size).toBe(1);
    expect(seqs).toEqual([1, 2]);
  });

  it.each([4, 5])(
    'that refuses tickets (CONNACK %i), as while its authorizer is throttled, is polled around',
    async (code) => {
      broker.refusal = code;
      const { watch, troubles } = watchBroadcast();
      await setting.until(() => watch.connection.status === 'polling');
      expect(await troubles.next()).toMatchObject({
        name: 'BrokerError',
        message: expect.stringContaining(`CONNACK ${code}`),
      });
      broker.refusal = undefined;
      await setting.until(() => watch.connection.status === 'live');
    },
  );

  it('that refuses tickets is come back to where nothing can be polled', async () => {
    broker.refusal = 5;
    const { watch } = watchBroadcast({ ticket });
    await setting.until(() => watch.connection.status === 'stale' && broker.connections > 4);
    broker.refusal = undefined;
    await setting.until(() => watch.connection.status === 'live');
  });

  it('that is never told of the end of the job is found out by a request each ten heartbeats', async () => {
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    broker.deaf = true;
    const asked = () => setting.server.requests.filter((request) => request.startsWith('GET')).length;
    const first = asked();
    await setting.until(() => asked() === first + 1);
    expect(broker.heard.filter((packet) => packet === 'PINGREQ').length).toBeGreaterThanOrEqual(9);
    setting.server.commit(sampleJob(2, 'succeeded'));
    expect(watch.connection.status).toBe('live');
    await setting.until(() => watch.connection.status === 'closed');
    expect((await watch.finished()).seq).toBe(2);
  });

  it('that retains nothing is no snapshot where nothing can be read', async () => {
    broker.publish(jobId(1), '');
    await settled();
    const { watch, troubles } = watchBroadcast({ ticket });
    await setting.until(() => watch.connection.status === 'stale');
    expect(await troubles.next()).toMatchObject({ message: expect.stringContaining('retains no state') });
    expect(broker.connections).toBe(1);
    setting.server.commit(sampleJob(2));
    await setting.until(() => watch.connection.status === 'live');
    expect(watch.job?.seq).toBe(2);
  });

  it('that is out of order for a while does not end the watch, which polls', async () => {
    broker.refusal = 3;
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'polling');
    setting.server.commit(sampleJob(2));
    await setting.until(() => watch.job?.seq === 2);
    broker.refusal = undefined;
    await setting.until(() => watch.connection.status === 'live');
  });

  it('that cannot be reached is polled around until it can', async () => {
    broker.blocked = true;
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'polling');
    broker.blocked = false;
    await setting.until(() => watch.connection.status === 'live');
    expect(setting.server.held).toBe(0);
  });

  it('that refuses the subscription ends the watch', async () => {
    broker.forbidden = true;
    const { watch } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'closed');
    await expect(watch.finished()).rejects.toBeInstanceOf(SubscriptionRefusedError);
  });

  it.each([
    ['bytes that are no packet', Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a second CONNACK', Uint8Array.of(0x20, 2, 0, 0)],
    ['text', '{}'],
  ])('that says %s is left, and come back to', async (_what, bytes) => {
    const { watch, troubles } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    broker.spoil(bytes);
    await setting.until(() => watch.connection.status === 'reconnecting');
    expect(await troubles.next()).toBeInstanceOf(UnexpectedAnswerError);
    await setting.until(() => watch.connection.status === 'live');
    expect(broker.connections).toBe(2);
  });

  it('may say what is no state, which is told as trouble, and go on', async () => {
    const { watch, seqs, troubles } = watchBroadcast();
    await setting.until(() => watch.connection.status === 'live');
    broker.publish(jobId(1), '{"type":"job","job":{}}');
    expect(await troubles.next()).toBeInstanceOf(UnexpectedAnswerError);
    broker.publish(jobId(1), '');
    setting.server.commit(sampleJob(3));
    await setting.until(() => seqs.at(-1) === 3);
    expect(broker.connections).toBe(1);
  });
});

describe('where a stack does not broadcast', () => {
  it('ends with a typed error that says what to set', async () => {
    const plain = await JobServer.start();
    plain.commit(sampleJob(1));
    const other = createWatchClient({ api: 'http://127.0.0.1', fetch: plain.fetch, onWake: () => () => {} });
    const watch = other.watchJob(jobId(1), { via: 'iot' });
    const error: unknown = await watch.finished().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TicketRefusedError);
    expect(error).toMatchObject({
      message: expect.stringContaining('-c broadcast=iot-core'),
      cause: { name: 'BroadcastUnavailableError' },
    });
    expect(plain.sockets).toBe(0);
    await plain[Symbol.asyncDispose]();
  });

  it('ends with a typed error where a callback refuses', async () => {
    const refusal = new ProblemError(problem('unauthorized'));
    const { watch } = watchBroadcast({ ticket: () => Promise.reject(refusal) });
    await setting.until(() => watch.connection.status === 'closed');
    await expect(watch.finished()).rejects.toMatchObject({ name: 'TicketRefusedError', cause: refusal });
  });
});
