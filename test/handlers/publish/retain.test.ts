import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RefusedError, UnavailableError } from '../../../handlers/errors.ts';
import type { Broker } from '../../../handlers/ports.ts';
import { RETAIN_ATTEMPTS } from '../../../handlers/publish/retain.ts';
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
    const { world, id } = await owing();
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

  test('comes again where the broker is not available, and ends in the dead-letter queue after long', async () => {
    const { world } = await owing();
    for (let attempt = 1; attempt < RETAIN_ATTEMPTS; attempt += 1) {
      world.broker.failNext(unavailable());
      expect(await world.retainWaiting()).toEqual([]);
      expect(world.retained.waiting).toMatchObject([{ message: { attempt } }]);
    }
    world.broker.failNext(unavailable());
    expect(await world.retainWaiting()).toEqual(['m0']);
    expect(world.telemetry.sum('BroadcastsRefused')).toBe(1);
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

describe('whatever fails and in whatever order', () => {
  /** What happens to a request of the broker; one of `retain` may be overtaken by a change. */
  const fate = fc.constantFrom('done', 'throttled', 'lost', 'arrived but unanswered', 'overtaken', 'late');
  const step = fc.constantFrom('change', 'tell', 'retain', 'wait');

  /** A broker that meets these fates, one a publication; without any left it does as it should. */
  const fated = (
    broker: Broker,
    fates: string[],
    late: (() => Promise<void>)[],
    overtake: () => Promise<unknown>,
  ): Broker => ({
    publish: async (job, frame, options) => {
      const next = fates.shift();
      if (next === 'throttled') throw new UnavailableError('IoT Core', { throttled: true });
      if (next === 'lost') throw unavailable();
      if (next === 'overtaken') await overtake();
      if (next === 'late') {
        late.push(() => broker.publish(job, frame, options));
        throw unavailable();
      }
      await broker.publish(job, frame, options);
      if (next === 'arrived but unanswered') throw unavailable();
    },
    clear: (job) => broker.clear(job),
  });

  test('the newest state is retained in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.array(fate, { maxLength: 20 }),
        fc.array(fate, { maxLength: 20 }),
        async (steps, fatesOfTell, fatesOfRetain) => {
          const world = new BrokerWorld();
          const record = await world.job();
          const real = { publish: world.broker.publish.bind(world.broker), clear: world.broker.clear };
          const late: (() => Promise<void>)[] = [];
          // Before the queue's message of a second later, as whatever arrives at all.
          const retainWaiting = async () => {
            for (const arrive of late.splice(0)) await arrive();
            return await world.retainWaiting();
          };
          world.broker.publish = fated(real, fatesOfTell, late, async () => {}).publish;
          world.retainsBy = fated(real, fatesOfRetain, late, async () => {
            await world.change(record);
            await world.tell();
          });
          for (const action of steps) {
            if (action === 'change') await world.change(record);
            if (action === 'tell') await world.tell();
            if (action === 'retain') await retainWaiting();
            if (action === 'wait') world.now = new Date(world.now.getTime() + 5_000);
          }
          fatesOfTell.splice(0);
          fatesOfRetain.splice(0);
          world.now = new Date(world.now.getTime() + 5_000);
          await world.tell();
          while (world.retained.waiting.length > 0) expect(await retainWaiting()).toEqual([]);
          expect(world.retainedSeq(record.job.id)).toBe((await world.jobs.read(record.job.id))?.job.seq);
        },
      ),
      { numRuns: 500 },
    );
  });
});
