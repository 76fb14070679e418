import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../../handlers/errors.ts';
import { ANN, CONNECTION, jobId, SocketSetting, ticketFor } from './socket-setting.ts';

const subscribeTo = (number: number) => ({ type: 'subscribe', id: 's', job: jobId(number) });

describe('subscribe to a job', () => {
  test.each([
    ['the ticket of its owner', ANN],
    ['the ticket of the job', ticketFor(1)],
  ])('with %s: the row for two hours and ten minutes, and the snapshot', async (_which, scope) => {
    const setting = new SocketSetting();
    const { job } = await setting.createJob(1);
    expect(await setting.send(subscribeTo(1), scope)).toEqual({ type: 'subscribed', id: 's', job });
    expect(await setting.watchersOf(`job:${jobId(1)}`)).toEqual([{ connection: CONNECTION }]);
    setting.advance(130 * 60_000 - 1);
    expect(await setting.watchersOf(`job:${jobId(1)}`)).toHaveLength(1);
    setting.advance(1);
    expect(await setting.watchersOf(`job:${jobId(1)}`)).toEqual([]);
  });

  test('with a since that is current: the head alone; with an older one: the snapshot', async () => {
    const setting = new SocketSetting();
    const { epoch } = (await setting.createJob(1)).job;
    const { job } = await setting.touch(1);
    const head = { job: job.id, epoch, seq: 2 };
    const current = await setting.send({ ...subscribeTo(1), since: { epoch, seq: 2 } });
    expect(current).toEqual({ type: 'subscribed', id: 's', head });
    const older = await setting.send({ ...subscribeTo(1), since: { epoch, seq: 1 } });
    expect(older).toEqual({ type: 'subscribed', id: 's', job });
    const anew = await setting.send({
      ...subscribeTo(1),
      since: { epoch: '00000000000000000000000000', seq: 9 },
    });
    expect(anew).toEqual({ type: 'subscribed', id: 's', job });
  });

  test('of somebody else is like one that does not exist, and never gets a row', async () => {
    const rows: string[] = [];
    const setting = new SocketSetting((own) => ({
      subscriptions: {
        add: async (row) => void rows.push(row.topic),
        remove: (topic, connection) => own.subscriptions.remove(topic, connection),
        removeConnection: (connection) => own.subscriptions.removeConnection(connection),
        has: (topic, connection) => own.subscriptions.has(topic, connection),
        count: async () => 0,
        confirm: (confirmation) => own.subscriptions.confirm(confirmation),
      },
    }));
    await setting.createJob(1, { owner: 'bob' });
    const foreign = await setting.send(subscribeTo(1));
    expect(foreign).toEqual(await setting.send(subscribeTo(2)));
    expect(foreign).toMatchObject({ type: 'error', id: 's', error: { code: 'not-found', retryable: false } });
    expect(rows).toEqual([]);
  });

  test('with the ticket of another job is forbidden, whether it exists or not', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    for (const number of [1, 3]) {
      const answer = await setting.send(subscribeTo(number), ticketFor(2));
      expect(answer).toMatchObject({ type: 'error', error: { code: 'forbidden' } });
    }
    expect(await setting.subscriptions.count(CONNECTION)).toBe(0);
  });

  test('that was deleted or is past its time leaves no row', async () => {
    const setting = new SocketSetting();
    expect(await setting.send(subscribeTo(1), ticketFor(1))).toMatchObject({ error: { code: 'not-found' } });
    await setting.createJob(2);
    setting.advance(7 * 24 * 3_600_000);
    for (const scope of [ANN, ticketFor(2)]) {
      expect(await setting.send(subscribeTo(2), scope)).toMatchObject({ error: { code: 'not-found' } });
    }
    expect(await setting.subscriptions.count(CONNECTION)).toBe(0);
  });

  test('keeps an earlier subscription when the read fails', async () => {
    let fails = false;
    const setting = new SocketSetting((own) => ({
      jobs: {
        read: async (id) => {
          if (fails) throw new UnavailableError('DynamoDB');
          return await own.jobs.read(id);
        },
        readMany: (ids) => own.jobs.readMany(ids),
      },
    }));
    await setting.createJob(1);
    await setting.send(subscribeTo(1), ticketFor(1));
    fails = true;
    expect(await setting.send(subscribeTo(1), ticketFor(1))).toMatchObject({
      type: 'error',
      id: 's',
      error: { code: 'internal', retryable: true, retryAfterMs: 1_000 },
    });
    expect(await setting.watchersOf(`job:${jobId(1)}`)).toHaveLength(1);
  });

  test('is refused from the hundred and first on', async () => {
    const setting = new SocketSetting();
    for (let number = 1; number <= 101; number += 1) await setting.createJob(number);
    for (let number = 1; number <= 100; number += 1) {
      expect((await setting.send(subscribeTo(number))).type).toBe('subscribed');
    }
    const refused = await setting.send(subscribeTo(101));
    expect(refused).toMatchObject({ type: 'error', error: { code: 'too-many-subscriptions' } });
    expect(await setting.send({ type: 'subscribe', id: 's', topic: 'owner:me' })).toMatchObject({
      type: 'error',
    });
    await setting.send({ type: 'unsubscribe', id: 'u', job: jobId(1) });
    expect((await setting.send(subscribeTo(101))).type).toBe('subscribed');
  });

  test('is renewed also by a connection that watches as much as it may', async () => {
    const setting = new SocketSetting();
    for (let number = 1; number <= 99; number += 1) {
      await setting.createJob(number);
      await setting.send(subscribeTo(number));
    }
    const ownJobs = { type: 'subscribe', id: 't', topic: 'owner:me' } as const;
    await setting.send(ownJobs);
    expect(await setting.send(subscribeTo(7))).toMatchObject({ type: 'subscribed', job: { id: jobId(7) } });
    expect(await setting.send(ownJobs)).toMatchObject({ type: 'subscribed', topic: 'owner:me' });
    expect(await setting.subscriptions.count(CONNECTION)).toBe(100);
  });
});

describe('subscribe to a topic', () => {
  test.each([
    ['owner:me', 'owner:ann'],
    ['tag:nightly run', 'tag:ann:nightly run'],
  ] as const)('%s is %s in the table', async (topic, stored) => {
    const setting = new SocketSetting();
    const answer = await setting.send({ type: 'subscribe', id: 's', topic });
    expect(answer).toEqual({ type: 'subscribed', id: 's', topic });
    expect(await setting.watchersOf(stored)).toEqual([{ connection: CONNECTION }]);
    expect(await setting.send({ type: 'unsubscribe', id: 'u', topic })).toEqual({
      type: 'unsubscribed',
      id: 'u',
    });
    expect(await setting.watchersOf(stored)).toEqual([]);
  });

  test('is forbidden with the ticket of a job', async () => {
    const setting = new SocketSetting();
    for (const type of ['subscribe', 'unsubscribe']) {
      for (const topic of ['owner:me', 'tag:x']) {
        const answer = await setting.send({ type, id: 's', topic }, ticketFor(1));
        expect(answer).toMatchObject({ type: 'error', id: 's', error: { code: 'forbidden' } });
      }
    }
    expect(await setting.subscriptions.count(CONNECTION)).toBe(0);
  });

  test('cannot name a topic of somebody else', async () => {
    const setting = new SocketSetting();
    for (const topic of ['owner:bob', 'tag:bob:x', 'tag:', 'job:x', '']) {
      const answer = await setting.send({ type: 'subscribe', id: 's', topic });
      expect([topic, answer]).toMatchObject([
        topic,
        { type: 'error', id: 's', error: { code: 'bad-frame' } },
      ]);
    }
    expect(await setting.subscriptions.count(CONNECTION)).toBe(0);
  });
});

test('unsubscribe ends what subscribe began, and is no error twice', async () => {
  const setting = new SocketSetting();
  await setting.createJob(1);
  await setting.send(subscribeTo(1));
  for (let time = 0; time < 2; time += 1) {
    const answer = await setting.send({ type: 'unsubscribe', id: 'u', job: jobId(1) });
    expect(answer).toEqual({ type: 'unsubscribed', id: 'u' });
    expect(await setting.watchersOf(`job:${jobId(1)}`)).toEqual([]);
  }
});
