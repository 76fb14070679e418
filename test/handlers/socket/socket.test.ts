import { describe, expect, test } from 'vitest';
import { RefusedError, UnavailableError } from '../../../handlers/errors.ts';
import { ProblemSchema } from '../../../protocol/http.ts';
import { parse } from '../../../protocol/invalid.ts';
import { ANN, CONNECTION, jobId, SocketSetting, ticketFor } from './socket-setting.ts';

/** The same object, whose methods note their names. */
function recordedCalls<Target extends object>(target: Target, names: string[]): Target {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        names.push(String(name));
        return value.apply(target, args);
      };
    },
  });
}

describe('$connect', () => {
  test('selects the subprotocol only where it is offered', async () => {
    const setting = new SocketSetting();
    const offered = await setting.connect({ protocols: ['jobwire.v1', 'ticket.abc'] });
    expect(offered).toEqual({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'jobwire.v1' } });
    for (const protocols of [[], ['ticket.abc'], ['jobwire.v2']]) {
      expect(await setting.connect({ protocols })).toEqual({ statusCode: 200 });
    }
    expect(setting.deliveries.waiting).toEqual([]);
  });

  test.each([
    ['its owner', ANN],
    ['the ticket of the job', ticketFor(1)],
  ])('watches ?job= at once for %s; the snapshot is left to deliver', async (_who, scope) => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    expect(await setting.connect({ scope, query: { job: jobId(1) } })).toEqual({ statusCode: 200 });
    const connectingUntil = '2026-11-23T12:00:30.000Z';
    expect(await setting.watchersOf(`job:${jobId(1)}`)).toEqual([
      { connection: CONNECTION, connectingUntil },
    ]);
    expect(setting.deliveries.waiting).toEqual([
      { message: { job: jobId(1), connection: CONNECTION, attempt: 0, connectingUntil }, delaySeconds: 0 },
    ]);
    expect(setting.posted()).toEqual([]);
  });

  test.each([
    ['a job that does not exist', ANN, jobId(9), 403, 'forbidden'],
    ['a job of somebody else', ANN, jobId(2), 403, 'forbidden'],
    ['another job than that of the ticket', ticketFor(1), jobId(3), 403, 'forbidden'],
    ['what is no id', ANN, 'job_1', 400, 'bad-request'],
    ['nothing', ANN, '', 400, 'bad-request'],
  ])('refuses ?job= of %s and does nothing', async (_what, scope, job, statusCode, code) => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    await setting.createJob(2, { owner: 'bob' });
    await setting.createJob(3);
    const answer = await setting.connect({ scope, query: { job } });
    expect(answer).toMatchObject({ statusCode, headers: { 'Content-Type': 'application/problem+json' } });
    expect(parse('the problem', ProblemSchema, JSON.parse(answer.body ?? ''))).toMatchObject({ code });
    expect(await setting.subscriptions.count(CONNECTION)).toBe(0);
    expect(setting.deliveries.waiting).toEqual([]);
  });

  test('is refused with 500 when the snapshot cannot be asked for', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    setting.deliveries.failNext(new UnavailableError('SQS'));
    expect(await setting.connect({ query: { job: jobId(1) } })).toMatchObject({ statusCode: 500 });
    expect(setting.logged).toMatchObject([{ level: 'warn' }]);
  });
});

describe('ping', () => {
  test('is answered with a pong', async () => {
    const setting = new SocketSetting();
    expect(await setting.send({ type: 'ping' })).toEqual({ type: 'pong' });
    expect(await setting.send({ type: 'ping', id: '7', heads: {} })).toEqual({ type: 'pong', id: '7' });
  });

  test('brings the jobs that are newer than the heads, and no others', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    const newer = (await setting.touch(1)).job;
    await setting.createJob(2);
    await setting.createJob(3, { owner: 'bob' });
    const heads = { [jobId(1)]: 1, [jobId(2)]: 1, [jobId(3)]: 0, [jobId(4)]: 0 };
    expect(await setting.send({ type: 'ping', id: 'p', heads })).toEqual({ type: 'pong', id: 'p' });
    expect(setting.posted()).toEqual([{ type: 'job', job: newer }]);
    await setting.send({ type: 'ping', id: 'p', heads: { [jobId(1)]: 1, [jobId(2)]: 0 } }, ticketFor(2));
    expect(setting.posted().slice(1)).toMatchObject([{ type: 'job', job: { id: jobId(2) } }]);
  });

  test('brings five hundred', async () => {
    const setting = new SocketSetting();
    const heads: Record<string, number> = {};
    for (let number = 1; number <= 500; number += 1) {
      await setting.createJob(number);
      heads[jobId(number)] = 0;
    }
    expect(await setting.send({ type: 'ping', heads })).toEqual({ type: 'pong' });
    expect(setting.posted()).toHaveLength(500);
    const tooMany = await setting.send({ type: 'ping', id: 'p', heads: { ...heads, [jobId(501)]: 0 } });
    expect(tooMany).toMatchObject({ type: 'error', id: 'p', error: { code: 'bad-frame' } });
  });

  test('is answered with an error when a job could not be posted, because a pong would say that all is well', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    setting.connections.failNext(CONNECTION, new UnavailableError('API Gateway'));
    const answer = await setting.send({ type: 'ping', id: 'p', heads: { [jobId(1)]: 0 } });
    expect(answer).toMatchObject({
      type: 'error',
      id: 'p',
      error: { code: 'internal', retryAfterMs: 1_000 },
    });
    setting.connections.failNext(CONNECTION, new RefusedError('API Gateway', 'no grant'));
    const refused = await setting.send({ type: 'ping', id: 'q', heads: { [jobId(1)]: 0 } });
    expect(refused).toMatchObject({ type: 'error', id: 'q', error: { code: 'internal' } });
    expect(setting.logged.map(({ level }) => level)).toEqual(['warn', 'error']);
  });

  test('confirms its heads, those of jobs that it may see and that there are', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    await setting.touch(1);
    await setting.createJob(2);
    await setting.createJob(3, { owner: 'bob' });
    const heads = { [jobId(1)]: 1, [jobId(2)]: 9, [jobId(3)]: 1, [jobId(4)]: 1 };
    await setting.send({ type: 'ping', heads });
    expect(await setting.confirmed(1)).toEqual({ seq: 1, at: setting.at });
    for (const number of [2, 3, 4]) expect(await setting.confirmed(number)).toBeUndefined();
    const at = setting.at;
    setting.advance(25_000);
    await setting.send({ type: 'ping', heads: { [jobId(1)]: 2, [jobId(2)]: 1 } }, ticketFor(1));
    expect(await setting.confirmed(1)).toEqual({ seq: 2, at: setting.at });
    expect(await setting.confirmed(2)).toBeUndefined();
    expect(at).not.toBe(setting.at);
  });

  test('writes what it confirms only where that is news, and reads nothing for it', async () => {
    const operations: string[] = [];
    const setting = new SocketSetting((own) => ({
      subscriptions: recordedCalls(own.subscriptions, operations),
      jobs: recordedCalls(own.jobs, operations),
    }));
    await setting.createJob(1);
    await setting.createJob(2);
    const one = { [jobId(1)]: 1, [jobId(2)]: 1 };
    const other = { [jobId(2)]: 1, [jobId(1)]: 1 };
    for (const heads of [one, one, other]) await setting.send({ type: 'ping', heads });
    expect(operations).toEqual(['readMany', 'confirm', 'readMany', 'readMany']);
    await setting.touch(1);
    operations.length = 0;
    for (const heads of [undefined, {}]) await setting.send({ type: 'ping', heads });
    expect(operations).toEqual([]);
    await setting.send({ type: 'ping', heads: { [jobId(1)]: 2 } });
    expect(operations).toEqual(['readMany', 'confirm']);
  });

  test('is answered though what it confirms cannot be kept now, and the next one tries again', async () => {
    let failures = 1;
    const setting = new SocketSetting((own) => ({
      subscriptions: {
        add: (row) => own.subscriptions.add(row),
        remove: (topic, connection) => own.subscriptions.remove(topic, connection),
        removeConnection: (connection) => own.subscriptions.removeConnection(connection),
        has: (topic, connection) => own.subscriptions.has(topic, connection),
        count: (connection) => own.subscriptions.count(connection),
        confirm: async (confirmation) => {
          failures -= 1;
          if (failures >= 0) throw new UnavailableError('DynamoDB');
          await own.subscriptions.confirm(confirmation);
        },
      },
    }));
    await setting.createJob(1);
    const ping = { type: 'ping', heads: { [jobId(1)]: 1 } };
    expect(await setting.send(ping)).toEqual({ type: 'pong' });
    expect(setting.logged).toMatchObject([{ level: 'warn' }]);
    expect(await setting.confirmed(1)).toBeUndefined();
    expect(await setting.send(ping)).toEqual({ type: 'pong' });
    expect(await setting.confirmed(1)).toEqual({ seq: 1, at: setting.at });
  });

  test('of a connection that has closed since is no error', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    setting.connections.close(CONNECTION);
    expect(await setting.send({ type: 'ping', heads: { [jobId(1)]: 0 } })).toEqual({ type: 'pong' });
    expect(setting.logged).toEqual([]);
  });
});

describe('$disconnect', () => {
  test('forgets what the connection watched', async () => {
    const setting = new SocketSetting();
    await setting.createJob(1);
    await setting.send({ type: 'subscribe', id: 's', job: jobId(1) });
    await setting.send({ type: 'subscribe', id: 's', topic: 'owner:me' });
    const event = { kind: 'disconnect', connection: CONNECTION, code: 1001, reason: 'Going away' } as const;
    expect(await setting.socket(event)).toEqual({ statusCode: 200 });
    expect(await setting.subscriptions.count(CONNECTION)).toBe(0);
  });

  test('is best effort', async () => {
    const setting = new SocketSetting((own) => ({
      subscriptions: {
        add: (row) => own.subscriptions.add(row),
        remove: (topic, connection) => own.subscriptions.remove(topic, connection),
        removeConnection: () => Promise.reject(new UnavailableError('DynamoDB')),
        has: (topic, connection) => own.subscriptions.has(topic, connection),
        count: (connection) => own.subscriptions.count(connection),
        confirm: (confirmation) => own.subscriptions.confirm(confirmation),
      },
    }));
    expect(await setting.socket({ kind: 'disconnect', connection: CONNECTION })).toEqual({ statusCode: 200 });
    expect(setting.logged).toMatchObject([{ level: 'warn' }]);
  });
});

describe('a frame that is none', () => {
  test.each([
    ['not JSON', 'hello', 'bad-frame', undefined],
    ['an array', '[]', 'bad-frame', undefined],
    ['an unknown type', '{"type":"shout","id":"x"}', 'unknown-type', 'x'],
    ['no type', '{"id":"x"}', 'unknown-type', 'x'],
    ['neither job nor topic', '{"type":"subscribe","id":"x"}', 'bad-frame', 'x'],
    ['no id', `{"type":"subscribe","job":"${jobId(1)}"}`, 'bad-frame', undefined],
    [
      'a frame of 33 KB',
      JSON.stringify({ type: 'ping', id: 'x', more: 'x'.repeat(33_000) }),
      'too-large',
      undefined,
    ],
    ['empty', '', 'bad-frame', undefined],
  ])('%s: an error frame, and the connection stands', async (_what, text, code, id) => {
    const setting = new SocketSetting();
    const answer = await setting.send(text);
    expect(answer).toMatchObject({ type: 'error', error: { code, retryable: false } });
    expect('id' in answer ? answer.id : undefined).toBe(id);
    expect(setting.connections.isOpen(CONNECTION)).toBe(true);
    expect(await setting.send({ type: 'ping' })).toEqual({ type: 'pong' });
  });

  test('is answered in a small frame however much is wrong with it', async () => {
    const heads = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`"wrong" ${index}`, -1]));
    const setting = new SocketSetting();
    const answer = await setting.send({ type: 'ping', id: 'x', heads });
    expect(answer).toMatchObject({ type: 'error', id: 'x', error: { code: 'bad-frame' } });
    expect(JSON.stringify(answer).length).toBeLessThan(2_000);
  });
});
