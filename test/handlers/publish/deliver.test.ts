import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedDataError, UnavailableError } from '../../../handlers/errors.ts';
import { type DeliveryReading, deliver } from '../../../handlers/publish/deliver.ts';
import { delaySeconds, MAXIMUM_ATTEMPTS } from '../../../handlers/publish/delivery-attempts.ts';
import type { Delivery } from '../../../handlers/queue-messages.ts';
import { secondsLater } from '../../conformance/sample-jobs.ts';
import { type Health, World } from './world.ts';

function readings(...deliveries: readonly Delivery[]): readonly DeliveryReading[] {
  return deliveries.map((message, index) => ({ messageId: `m${index}`, message }));
}

test('the state that is posted is the newest there is', async () => {
  const world = new World();
  const record = await world.job();
  const { id: job } = record.job;
  await world.watch('one', `job:${job}`);
  await world.change(record);
  await world.change(record);
  expect(await deliver(readings({ job, connection: 'one', attempt: 0 }), world.parts, world.endsAt)).toEqual(
    [],
  );
  expect(world.statesOf('one').map(({ seq }) => seq)).toEqual([3]);
  expect(world.telemetry.sum('FramesDelivered')).toBe(1);
});

test('messages for the same job and connection are one post', async () => {
  const world = new World();
  const { id: job } = (await world.job()).job;
  await world.watch('ill', `job:${job}`, 'unavailable');
  const kept = await deliver(
    readings(
      { job, connection: 'ill', attempt: 0 },
      { job, connection: 'ill', attempt: 4, connectingUntil: secondsLater(2) },
      { job, connection: 'ill', attempt: 1, connectingUntil: secondsLater(3) },
    ),
    world.parts,
    world.endsAt,
  );
  expect(kept).toEqual([]);
  expect(world.posts).toBe(1);
  expect(world.deliveries.waiting.map(({ message }) => message)).toEqual([
    { job, connection: 'ill', attempt: 4, connectingUntil: secondsLater(3) },
  ]);
});

test('a job that is gone has nothing to tell', async () => {
  const world = new World();
  const { id: job } = (await world.job()).job;
  world.jobs.forget(job);
  expect(await deliver(readings({ job, connection: 'one', attempt: 0 }), world.parts, world.endsAt)).toEqual(
    [],
  );
  expect(world.posts).toBe(0);
});

test('a connection that is gone loses its rows; one that is connecting keeps them and is tried again', async () => {
  const world = new World();
  const { id: job } = (await world.job()).job;
  await world.watch('gone', `job:${job}`, 'gone');
  await world.watch('connecting', `job:${job}`, 'connecting');
  await deliver(
    readings(
      { job, connection: 'gone', attempt: 0 },
      { job, connection: 'connecting', attempt: MAXIMUM_ATTEMPTS - 1, connectingUntil: secondsLater(10) },
    ),
    world.parts,
    world.endsAt,
  );
  expect(await world.subscriptions.count('gone')).toBe(0);
  expect(await world.subscriptions.count('connecting')).toBe(1);
  expect(world.deliveries.waiting).toMatchObject([
    // Not counted: however slow $connect is, the snapshot waits for it.
    { message: { connection: 'connecting', attempt: MAXIMUM_ATTEMPTS - 1 }, delaySeconds: 1 },
  ]);
});

test('after enough attempts a delivery is given up, logged and counted', async () => {
  const world = new World();
  const { id: job } = (await world.job()).job;
  await world.watch('ill', `job:${job}`, 'unavailable');
  const attempt = MAXIMUM_ATTEMPTS - 1;
  expect(await deliver(readings({ job, connection: 'ill', attempt }), world.parts, world.endsAt)).toEqual([]);
  expect(world.deliveries.waiting).toEqual([]);
  expect(world.telemetry.sum('DeliveriesAbandoned')).toBe(1);
  expect(world.telemetry.messages('warn')).toHaveLength(1);
});

test('waits grow from 1 to 60 seconds, with full jitter', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const delay = delaySeconds(attempt, random);
      expect(delay).toBeGreaterThanOrEqual(1);
      expect(delay).toBeLessThanOrEqual(Math.min(60, 2 ** attempt));
      expect(Number.isInteger(delay)).toBe(true);
    }),
  );
  expect(delaySeconds(10, 0.999)).toBe(60);
  expect(delaySeconds(10, 0)).toBe(1);
});

describe('what comes again', () => {
  test('every message, when the jobs cannot be read', async () => {
    const world = new World();
    const { id: job } = (await world.job()).job;
    world.jobs.readMany = () => Promise.reject(new UnavailableError('DynamoDB'));
    const kept = await deliver(
      readings({ job, connection: 'one', attempt: 0 }, { job, connection: 'two', attempt: 0 }),
      world.parts,
      world.endsAt,
    );
    expect(kept).toEqual(['m0', 'm1']);
  });

  test('one malformed item fails alone', async () => {
    const world = new World();
    const [good, bad] = [await world.job(), await world.job()];
    await world.watch('one', 'owner:ada');
    const read = world.jobs.read.bind(world.jobs);
    world.jobs.readMany = () => Promise.reject(new MalformedDataError('A job'));
    world.jobs.read = (id) =>
      id === bad.job.id ? Promise.reject(new MalformedDataError('A job')) : read(id);
    const kept = await deliver(
      readings(
        { job: bad.job.id, connection: 'one', attempt: 0 },
        { job: good.job.id, connection: 'one', attempt: 0 },
      ),
      world.parts,
      world.endsAt,
    );
    expect(kept).toEqual(['m0']);
    expect(world.statesOf('one').map(({ id }) => id)).toEqual([good.job.id]);
  });

  test('a message that is malformed, and what could not be queued again', async () => {
    const world = new World();
    const { id: job } = (await world.job()).job;
    await world.watch('ill', `job:${job}`, 'unavailable');
    world.deliveries.failNext(new UnavailableError('SQS'));
    const kept = await deliver(
      [
        { messageId: 'bad', malformed: new MalformedDataError('A body') },
        ...readings({ job, connection: 'ill', attempt: 0 }, { job, connection: 'ill', attempt: 0 }),
      ],
      world.parts,
      world.endsAt,
    );
    expect(kept).toEqual(['bad', 'm0', 'm1']);
  });
});

test('whatever fails: every owed state is posted, owed again, or its message comes again', async () => {
  const owed = fc.record({
    job: fc.nat(3),
    connection: fc.nat(5),
    attempt: fc.nat(MAXIMUM_ATTEMPTS - 2),
  });
  const health = fc.constantFrom<Health>('open', 'gone', 'connecting', 'unavailable', 'refused', 'bug');
  await fc.assert(
    fc.asyncProperty(
      fc.array(owed, { maxLength: 30 }),
      fc.array(health, { minLength: 6, maxLength: 6 }),
      fc.boolean(),
      async (all, healths, queueDown) => {
        const world = new World();
        const jobs = await Promise.all([0, 1, 2, 3].map(() => world.job()));
        for (const [index, each] of healths.entries()) await world.watch(`c${index}`, 'owner:ada', each);
        if (queueDown) world.deliveries.failNext(new UnavailableError('SQS'));
        const messages = readings(
          ...all.map(({ job, connection, attempt }) => ({
            job: jobs[job]?.job.id ?? '',
            connection: `c${connection}`,
            attempt,
            ...(healths[connection] === 'connecting' ? { connectingUntil: secondsLater(10) } : {}),
          })),
        );
        const kept = new Set(await deliver(messages, world.parts, world.endsAt));
        for (const reading of messages) {
          if ('malformed' in reading) continue;
          const { job, connection } = reading.message;
          const posted = world.statesOf(connection).filter(({ id }) => id === job).length;
          const again = world.deliveries.waiting.filter(
            ({ message }) => message.job === job && message.connection === connection,
          ).length;
          const each = world.health.get(connection);
          expect(posted).toBe(each === 'open' ? 1 : 0);
          const isKept = kept.has(reading.messageId) ? 1 : 0;
          expect(posted + again + isKept).toBe(each === 'gone' ? 0 : 1);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('ten seconds before its end it posts nothing more, and hands the rest on', async () => {
  const world = new World();
  const { job } = await world.job();
  await world.watch('one', `job:${job.id}`);
  const delivery = { job: job.id, connection: 'one', attempt: 3 };
  expect(await deliver(readings(delivery), world.parts, world.now.getTime() + 9_000)).toEqual([]);
  expect(world.posts).toBe(0);
  expect(world.deliveries.waiting.map(({ message }) => message)).toEqual([{ ...delivery, attempt: 4 }]);
});
