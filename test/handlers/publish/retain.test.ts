import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RefusedError, UnavailableError } from '../../../handlers/errors.ts';
import type { Broker, JobRecord } from '../../../handlers/ports.ts';
import { ARRIVES_WITHIN, RETAIN_ATTEMPTS } from '../../../handlers/publish/retain.ts';
import { BrokerWorld } from './broker-world.ts';

const unavailable = () => new UnavailableError('IoT Core');

/** A world with one job whose first state could not be retained. */
async function owing(
  error: Error = unavailable(),
): Promise<{ readonly world: BrokerWorld; readonly id: string }> {
  const world = new BrokerWorld();
  const { id } = (await world.job()).job;
  world.broker.failNext(error);
  await world.tell();
  return { world, id };
}

describe('a state that is still to be retained', () => {
  test('is not written over a newer one', async () => {
    const { world, id } = await owing(new UnavailableError('IoT Core', { throttled: true }));
    await world.change((await world.jobs.read(id)) ?? expect.unreachable());
    expect(await world.retainWaiting()).toEqual([]);
    expect(world.retainedSeq(id)).toBeUndefined(); // the newer one's own change sees to it
  });

  test('is, where it may have arrived behind a newer one, written over by that', async () => {
    const { world, id } = await owing();
    await world.change((await world.jobs.read(id)) ?? expect.unreachable());
    await world.broker.publish(id, 'the first state, late', { retain: true });
    expect(await world.retainWaiting()).toEqual([]);
    expect(world.retainedSeq(id)).toBe(2);
  });

  test('is followed by what the job has become while it was written', async () => {
    const { world, id } = await owing(new UnavailableError('IoT Core', { throttled: true }));
    const record = (await world.jobs.read(id)) ?? expect.unreachable();
    const publish = world.broker.publish.bind(world.broker);
    let changes = 1;
    world.broker.publish = async (job, frame, options) => {
      if (changes > 0) {
        changes -= 1;
        await world.change(record);
        for (const change of world.changes.splice(0)) {
          if ('record' in change)
            await publish(job, `{"type":"job","job":${JSON.stringify(change.record.job)}}`, options);
        }
      }
      await publish(job, frame, options);
    };
    expect(await world.retainWaiting()).toEqual([]);
    expect(world.retainedSeq(id)).toBe(2);
    expect(world.retained.waiting).toEqual([]);
  });

  test.each([
    ['the read behind it is throttled', new UnavailableError('DynamoDB', { throttled: true })],
    ['the read behind it fails', new UnavailableError('DynamoDB')],
    ['the function dies behind it', new Error('the function has ended')],
  ])('is, where it was written over a newer one and %s, written over in turn', async (_, failure) => {
    const { world, id } = await owing(new UnavailableError('IoT Core', { throttled: true }));
    const failures: Error[] = [];
    world.retainsBy = {
      publish: async (...parameters) => {
        if (failures.length === 0) {
          await world.change(await readJob(world, id));
          await world.tell();
          failures.push(failure);
        }
        await world.broker.publish(...parameters);
      },
      clear: (job) => world.broker.clear(job),
    };
    world.retainReads = {
      read: async (job) => {
        if (failures.length !== 1) return await world.jobs.read(job);
        failures.push(failure);
        throw failure;
      },
    };
    for (let due = world.nextDue; due !== undefined; due = world.nextDue) {
      world.now = new Date(due);
      await world.retainDue();
    }
    expect(world.retainedSeq(id)).toBe(2);
  });

  test('comes again where the broker is not available, and ends in the dead-letter queue after long', async () => {
    const { world } = await owing();
    for (let attempt = 1; attempt < RETAIN_ATTEMPTS; attempt += 1) {
      world.broker.failNext(unavailable());
      expect(await world.retainWaiting()).toEqual([]);
      expect(world.retained.waiting).toMatchObject([{ message: { attempt } }]);
    }
    world.broker.failNext(unavailable());
    expect(await world.retainWaiting()).toEqual(['m0']);
    expect(world.telemetry.sum('BrokerRefused')).toBe(1);
  });

  test.each([
    ['the broker refuses', (world: BrokerWorld) => world.broker.failNext(new RefusedError('IoT Core', 'x'))],
    [
      'the queue takes nothing',
      (world: BrokerWorld) => {
        world.broker.failNext(unavailable());
        world.retained.failNext(unavailable());
      },
    ],
  ])('comes again by itself where %s', async (_, fail) => {
    const { world } = await owing();
    fail(world);
    expect(await world.retainWaiting()).toEqual(['m0']);
  });

  test('of a job that is gone is emptied', async () => {
    const { world, id } = await owing();
    await world.broker.publish(id, 'old', { retain: true });
    world.jobs.forget(id);
    world.now = new Date(world.now.getTime() + 5_000);
    world.broker.failNext(unavailable());
    await world.tell([{ sequenceNumber: '2000', job: id }]);
    await world.retainWaiting();
    expect(world.broker.retainedOf(id)).toBeUndefined();
  });
});

describe('after an outage', () => {
  test.each([0.01, 0.5, 0.99])(
    'watchers are told as often as requests were given up in its last seconds, back-off %d',
    async (random) => {
      const world = new BrokerWorld(random);
      const { job } = await world.job();
      let isDown = true;
      const publish = world.broker.publish.bind(world.broker);
      world.broker.publish = async (...parameters) => {
        if (isDown) throw unavailable();
        await publish(...parameters);
      };
      const start = world.now.getTime();
      const seen = world.subscribed(job.id);
      for (let second = 0; second < 1_200; second += 1) {
        world.now = new Date(start + 1000 * second);
        isDown = second < 600;
        if (second < 400 && second % 5 === 0) await world.change(await readJob(world, job.id));
        await world.tell();
        await world.retainDue();
      }
      expect(world.nextDue).toBeUndefined();
      // Eighty changes, of which the last and what was given up in the fifteen seconds before it are left.
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.length).toBeLessThanOrEqual(8);
      expect(new Set(seen)).toEqual(new Set([81]));
      expect(world.retainedSeq(job.id)).toBe(81);
    },
  );
});

describe('whatever fails and in whatever order', () => {
  /** What happens to a request of the broker; one of `retain` may be overtaken by a change, or be the function's last. */
  const fate = fc.constantFrom('done', 'throttled', 'lost', 'unanswered', 'late');
  const fateOfRetain = fc.oneof(fate, fc.constantFrom('overtaken', 'died', 'overtaken and died'));
  const reading = fc.constantFrom('done', 'done', 'throttled', 'unavailable');
  const step = fc.constantFrom('change', 'tell', 'retain', 'arrive', 'second', 'five seconds', 'minute');
  const SECONDS: Readonly<Record<string, number>> = { second: 1, 'five seconds': 5, minute: 60 };

  test('the newest state is retained in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.array(fate, { maxLength: 20 }),
        fc.array(fateOfRetain, { maxLength: 20 }),
        fc.array(reading, { maxLength: 20 }),
        async (steps, ...drawn) => {
          // Copies, because fast-check shows what it drew, and makes it smaller.
          const [fatesOfTell, fatesOfRetain, readings] = drawn.map((fates) => [...fates]) as [
            string[],
            string[],
            string[],
          ]; // three were drawn
          const world = new BrokerWorld();
          const record = await world.job();
          const { id } = record.job;
          const publish = world.broker.publish.bind(world.broker);
          const late: { readonly before: number; readonly arrive: () => Promise<void> }[] = [];

          /** A broker that meets these fates, one a publication; without any left it does as it should. */
          const fated = (fates: string[]): Broker['publish'] => {
            return async (job, frame, options) => {
              const next = fates.shift() ?? 'done';
              if (next === 'throttled') throw new UnavailableError('IoT Core', { throttled: true });
              if (next === 'lost') throw unavailable();
              if (next.startsWith('overtaken')) {
                await world.change(record);
                await world.tell();
              }
              if (next === 'late') {
                late.push({
                  before: world.now.getTime() + ARRIVES_WITHIN,
                  arrive: () => publish(job, frame, options),
                });
                throw unavailable();
              }
              await publish(job, frame, options);
              if (next === 'unanswered') throw unavailable();
              if (next.endsWith('died')) throw new Error('the function has ended');
            };
          };
          const goTo = async (time: number): Promise<void> => {
            world.now = new Date(time);
            const due = late.filter(({ before }) => before <= time);
            late.splice(0, late.length, ...late.filter(({ before }) => before > time));
            for (const { arrive } of due) await arrive();
          };
          world.broker.publish = fated(fatesOfTell);
          world.retainsBy = { publish: fated(fatesOfRetain), clear: (job) => world.broker.clear(job) };
          world.retainReads = {
            read: async (job) => {
              const next = readings.shift() ?? 'done';
              if (next !== 'done')
                throw new UnavailableError('DynamoDB', { throttled: next === 'throttled' });
              return await world.jobs.read(job);
            },
          };
          for (const action of steps) {
            if (action === 'change') await world.change(record);
            if (action === 'tell') await world.tell();
            if (action === 'retain') await world.retainDue();
            if (action === 'arrive') await late.shift()?.arrive();
            await goTo(world.now.getTime() + 1000 * (SECONDS[action] ?? 0));
          }
          fatesOfTell.splice(0);
          fatesOfRetain.splice(0);
          await goTo(world.now.getTime() + 5_000);
          await world.tell();
          for (let due = world.nextDue; due !== undefined; due = world.nextDue) {
            await goTo(Math.max(due, world.now.getTime()));
            await world.retainDue();
          }
          for (const { arrive } of late.splice(0)) await arrive();
          expect(world.retainedSeq(id)).toBe((await world.jobs.read(id))?.job.seq);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

async function readJob(world: BrokerWorld, id: string): Promise<JobRecord> {
  return (await world.jobs.read(id)) ?? expect.unreachable();
}
