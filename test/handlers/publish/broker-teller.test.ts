import { describe, expect, test } from 'vitest';
import { RefusedError, UnavailableError } from '../../../handlers/errors.ts';
import { isLater } from '../../../handlers/publish/broker-teller.ts';
import { BrokerWorld } from './broker-world.ts';

const throttled = () => new UnavailableError('IoT Core', { throttled: true });
const unavailable = () => new UnavailableError('IoT Core');

describe('what a broker is told', () => {
  test('the newest state of every job in a batch, once and retained, whoever watches', async () => {
    const world = new BrokerWorld();
    const [one, two] = [await world.job(), await world.job()];
    const seen = world.subscribed(one.job.id);
    await world.change(one);
    await world.change(one);
    expect(await world.tell()).toBeUndefined();
    expect(seen).toEqual([3]);
    expect([world.retainedSeq(one.job.id), world.retainedSeq(two.job.id)]).toEqual([3, 1]);
    expect(world.retained.waiting).toEqual([]);
    expect(world.telemetry.sum('StatesTold')).toBe(2);
  });

  test('that a job is gone; but not where it was made anew behind that', async () => {
    const world = new BrokerWorld();
    const [gone, anew] = [await world.job(), await world.job()];
    await world.tell();
    await world.change(gone);
    const [change] = world.changes;
    const seen = world.subscribed(gone.job.id);
    await world.change(anew); // sequence number 1001
    await world.tell([
      { sequenceNumber: `${Number(change?.sequenceNumber) + 5}`, job: gone.job.id },
      { sequenceNumber: '999', job: anew.job.id },
    ]);
    expect(seen).toEqual([1, 0]);
    expect([world.retainedSeq(gone.job.id), world.retainedSeq(anew.job.id)]).toEqual([undefined, 2]);
  });

  test('sequence numbers are compared as the numbers that they are', () => {
    expect(isLater('1000', '999')).toBe(true);
    expect(isLater('999', '1000')).toBe(false);
    expect(isLater('412300000000038425430045', '412300000000038425430044')).toBe(true);
    expect(isLater('5', '5')).toBe(false);
  });
});

describe('a broker that fails', () => {
  test('by throttling what is retained: who watches now is told all the same, the rest comes in a second', async () => {
    const world = new BrokerWorld();
    const { id } = (await world.job()).job;
    const seen = world.subscribed(id);
    world.broker.failNext(throttled());
    expect(await world.tell()).toBeUndefined();
    expect(seen).toEqual([1]);
    expect(world.retainedSeq(id)).toBeUndefined();
    expect(world.retained.waiting).toMatchObject([
      { message: { kind: 'retained', job: id, attempt: 0 }, delaySeconds: 1 },
    ]);
    expect(await world.retainWaiting()).toEqual([]);
    expect(world.retainedSeq(id)).toBe(1);
    expect(world.telemetry.sum('StatesTold')).toBe(1);
  });

  test('by not answering: it is left alone for five seconds, so that no batch waits for it', async () => {
    const world = new BrokerWorld();
    const record = await world.job();
    world.broker.failNext(unavailable());
    expect(await world.tell()).toBeUndefined();
    await world.change(record);
    expect(await world.tell()).toBeUndefined();
    expect(world.retainedSeq(record.job.id)).toBeUndefined();
    expect(world.retained.waiting.map(({ message }) => message.head?.split('.')[1])).toEqual(['1', '2']);
    world.now = new Date(world.now.getTime() + 5_000);
    await world.change(record);
    expect(await world.tell()).toBeUndefined();
    expect(world.retainedSeq(record.job.id)).toBe(3);
    // Both are of the past, but the first was tried: should it still have arrived, it is written over.
    expect(await world.retainWaiting()).toEqual([]);
    expect(world.telemetry.sum('StatesRetained')).toBe(1);
    expect(world.retainedSeq(record.job.id)).toBe(3);
  });

  test('by not answering for one job: the others are told', async () => {
    const world = new BrokerWorld();
    const jobs = await Promise.all(Array.from({ length: 3 }, () => world.job()));
    await world.tell();
    for (const job of jobs) await world.change(job);
    await world.change(jobs[0] ?? expect.unreachable());
    world.broker.failNext(unavailable());
    await world.tell();
    expect(world.retained.waiting).toHaveLength(1);
    expect(jobs.map(({ job }) => world.retainedSeq(job.id)).sort()).toEqual([1, 2, 2]);
  });

  test('by refusing: it is counted, logged once, and tried again', async () => {
    const world = new BrokerWorld();
    await Promise.all([world.job(), world.job()]);
    world.broker.failNext(new RefusedError('IoT Core', 'no grant'), new RefusedError('IoT Core', 'no grant'));
    expect(await world.tell()).toBeUndefined();
    expect(world.telemetry.sum('BrokerRefused')).toBe(2);
    expect(world.telemetry.messages('error')).toHaveLength(1);
    expect(world.retained.waiting).toHaveLength(2);
  });

  test('together with the queue: the batch comes again from the first job that is left', async () => {
    const world = new BrokerWorld();
    const [first, second] = [await world.job(), await world.job()];
    await world.change(first);
    const position = world.changes.find(({ sequenceNumber }) => sequenceNumber === '1001');
    expect(position).toMatchObject({ record: { job: { id: second.job.id } } });
    world.retained.failNext(unavailable());
    const publish = world.broker.publish.bind(world.broker);
    world.broker.publish = async (job, frame, options) => {
      if (job === second.job.id) throw unavailable();
      await publish(job, frame, options);
    };
    expect(await world.tell()).toBe('1001');
  });

  test('nothing is tried when the function is about to end', async () => {
    const world = new BrokerWorld();
    const { id } = (await world.job()).job;
    const endsAt = world.now.getTime() + 9_000;
    expect(await world.teller.tell(world.changes, [], endsAt)).toBeUndefined();
    expect(world.retainedSeq(id)).toBeUndefined();
    expect(world.retained.waiting).toHaveLength(1);
  });
});
