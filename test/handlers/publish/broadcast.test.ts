import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../bench/simulation/seeded-random.ts';
import { MalformedDataError, UnavailableError } from '../../../handlers/errors.ts';
import { type BroadcastReading, broadcast } from '../../../handlers/publish/broadcast.ts';
import { MAXIMUM_ATTEMPTS } from '../../../handlers/publish/delivery-attempts.ts';
import { rowsOfPage } from '../../../handlers/publish/key-ranges.ts';
import { publish } from '../../../handlers/publish/publish.ts';
import type { Broadcast, BroadcastRange } from '../../../handlers/queue-messages.ts';
import { secondsLater } from '../../conformance/sample-jobs.ts';
import { type Health, World } from './world.ts';

/** A world in which ten watchers are the most that one execution posts to. */
class Crowd extends World {
  #messages = 0;

  constructor() {
    super(1_000, 10);
  }

  async crowd(job: string, size: number, health: (index: number) => Health = () => 'open'): Promise<void> {
    for (let index = 0; index < size; index += 1) {
      await this.watch(nameOf(index), `job:${job}`, health(index));
    }
  }

  /** Works off one message. Answers whether it comes again. */
  async work(message: Broadcast, parts = this.parts): Promise<boolean> {
    this.#messages += 1;
    const readings: readonly BroadcastReading[] = [{ messageId: `m${this.#messages}`, message }];
    return (await broadcast(readings, parts, this.endsAt)).length > 0;
  }

  /** Works off all that is in the queue and what comes of it, delays included. Answers the delays. */
  async workAll(parts = this.parts): Promise<readonly number[]> {
    const delays: number[] = [];
    for (;;) {
      const taken = this.broadcasts.take();
      if (taken.length === 0) return delays;
      for (const { message, delaySeconds } of taken) {
        delays.push(delaySeconds);
        this.now = new Date(this.now.getTime() + delaySeconds * 1000);
        expect(await this.work(message, parts)).toBe(false);
      }
    }
  }

  /** Begins the round that `range` is of. */
  async begin(job: string, by = 'test'): Promise<void> {
    const now = this.now.getTime();
    await this.rounds.begin({ topic: `job:${job}`, job, by, now, until: now });
  }

  range(job: string, range: BroadcastRange['range'] = {}, attempt = 0): BroadcastRange {
    return { kind: 'range', job, topic: `job:${job}`, round: 1, range, posts: 0, attempt };
  }
}

function nameOf(index: number): string {
  return `c${String(index).padStart(4, '0')}`;
}

/** Has one step fail once, as a service does that is not available for a moment. */
function failOnce(
  world: Crowd,
  step: 'watchers' | 'lastWatcher' | 'take' | 'takes, but does not say so' | 'lengthen' | 'rest' | 'owed',
): void {
  const error = new UnavailableError('DynamoDB');
  const { subscriptions, rounds } = world;
  switch (step) {
    case 'watchers': {
      const { watchers } = subscriptions;
      subscriptions.watchers = async () => {
        subscriptions.watchers = watchers;
        throw error;
      };
      break;
    }
    case 'lastWatcher': {
      const { lastWatcher } = subscriptions;
      subscriptions.lastWatcher = async () => {
        subscriptions.lastWatcher = lastWatcher;
        throw error;
      };
      break;
    }
    case 'take':
    case 'takes, but does not say so': {
      const { take } = rounds;
      rounds.take = async (...asked) => {
        rounds.take = take;
        if (step !== 'take') await rounds.take(...asked);
        throw error;
      };
      break;
    }
    case 'lengthen': {
      const { lengthen } = rounds;
      rounds.lengthen = async () => {
        rounds.lengthen = lengthen;
        throw error;
      };
      break;
    }
    case 'rest':
      world.broadcasts.failNext(error);
      break;
    case 'owed':
      world.deliveries.failNext(error);
  }
}

describe('a large audience', () => {
  test('is not posted to by publish, but told in one round, each once', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 95);
    await world.watch('owner', 'owner:ada');
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    expect(world.order).toEqual(['owner']);
    expect(world.broadcasts.waiting).toEqual([
      {
        message: { kind: 'round', job: job.id, topic: `job:${job.id}`, round: 1, attempt: 0 },
        delaySeconds: 0,
      },
    ]);
    expect(world.telemetry.sum('LargeAudiences')).toBe(1);
    await world.workAll();
    expect(world.order.slice(1).toSorted()).toEqual(Array.from({ length: 95 }, (_, index) => nameOf(index)));
    expect(world.telemetry.sum('FramesBroadcast')).toBe(95);
  });

  test('is one that has exactly one row more than a portion', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 10);
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.broadcasts.waiting).toEqual([]);
    expect(world.posts).toBe(10);
    await world.watch('one more', `job:${job.id}`);
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.broadcasts.waiting).toHaveLength(1);
  });

  test('is told once for many changes in the time of a round, and of the newest in the end', async () => {
    const world = new Crowd();
    world.perSecond = 10; // fifty for all, so that 100 watchers take two seconds
    const record = await world.job();
    await world.crowd(record.job.id, 100);
    for (let change = 0; change < 20; change += 1) {
      await world.change(record);
      await publish(world.changes.splice(0), world.parts, world.endsAt);
      world.now = new Date(world.now.getTime() + 50);
    }
    expect(world.broadcasts.waiting.map(({ message }) => message.kind)).toEqual(['round', 'next-round']);
    await world.workAll();
    const seq = (await world.jobs.read(record.job.id))?.job.seq;
    for (let index = 0; index < 100; index += 1) {
      const states = world.statesOf(nameOf(index));
      expect(states.at(-1)?.seq).toBe(seq);
      expect(states.length).toBeLessThanOrEqual(2);
    }
  });

  test('waits for the next round as long as the posts of this one take', async () => {
    const world = new Crowd();
    const record = await world.job();
    await world.crowd(record.job.id, 500);
    const audience = { topic: `job:${record.job.id}`, job: record.job.id } as const;
    const at = world.now.getTime();
    await publish(world.changes.splice(0), world.parts, world.endsAt);
    const parts = { ...world.parts, postsPerSecond: 50 };
    for (;;) {
      const taken = world.broadcasts.take();
      if (taken.length === 0) break;
      for (const [index, { message }] of taken.entries()) {
        await broadcast([{ messageId: `m${index}`, message }], parts, world.endsAt);
      }
    }
    const next = await world.rounds.begin({ ...audience, by: 'test', now: at + 1, until: at + 2 });
    // A second, and five hundred at fifty a second: however wrong the estimates were on the way.
    expect(next).toMatchObject({ begun: false, taken: true, nextAt: at + 11_000 });
  });

  test('by several topics: each is announced, and small ones are posted to', async () => {
    const world = new Crowd();
    const { job } = await world.job(['a']);
    for (let index = 0; index < 12; index += 1) {
      await world.watch(`owner ${index}`, 'owner:ada');
      await world.watch(`tag ${index}`, 'tag:ada:a');
    }
    await world.watch('small', `job:${job.id}`);
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.order).toEqual(['small']);
    await world.workAll();
    expect(new Set(world.order).size).toBe(25);
  });

  test('rows that have expired make it no smaller, and are not posted to', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 30);
    world.now = new Date(secondsLater(7_790));
    await world.subscriptions.add({
      topic: `job:${job.id}`,
      connection: 'late',
      since: secondsLater(7_700),
      expiresAt: secondsLater(9_000),
    });
    world.connections.open('late');
    world.now = new Date(secondsLater(7_801));
    await publish(world.changes, world.parts, world.endsAt);
    await world.workAll();
    expect(world.order).toEqual(['late']);
  });
});

describe('a range', () => {
  test('tells the newest state, and a job that is gone nothing', async () => {
    const world = new Crowd();
    const record = await world.job();
    await world.crowd(record.job.id, 3);
    await world.change(record);
    await world.work(world.range(record.job.id));
    expect(world.statesOf(nameOf(0)).map(({ seq }) => seq)).toEqual([2]);
    world.jobs.forget(record.job.id);
    await world.work(world.range(record.job.id));
    expect(world.posts).toBe(3);
  });

  test('that takes long reads the job again each second', async () => {
    const world = new Crowd();
    world.perSecond = 2;
    const record = await world.job();
    await world.crowd(record.job.id, 10);
    const post = world.connections.post.bind(world.connections);
    world.connections.post = async (connection, frame) => {
      await post(connection, frame);
      if (connection === nameOf(4)) await world.change(record);
    };
    await world.work(world.range(record.job.id));
    expect(world.statesOf(nameOf(4)).map(({ seq }) => seq)).toEqual([1]);
    expect(world.statesOf(nameOf(9)).map(({ seq }) => seq)).toEqual([2]);
  });

  test('that is throttled stops, goes back for the rest, and slows down', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 10, (index) => (index < 2 ? 'open' : 'throttled'));
    const { parts } = world;
    const readings = [{ messageId: 'm', message: { ...world.range(job.id, { until: 'x' }) } }];
    expect(await broadcast(readings, { ...parts, portion: 1_000 }, world.endsAt)).toEqual([]);
    // All ten were under way when the first was throttled.
    expect(world.deliveries.waiting).toHaveLength(8);
    for (const { delaySeconds } of world.deliveries.waiting) expect(delaySeconds).toBe(2);
    expect(parts.pace.perSecond).toBe(world.perSecond / 2);
  });

  test('in which a few posts go through sends back the rest, at a random time, as if it were new', async () => {
    const world = new Crowd();
    world.perSecond = 100;
    const { job } = await world.job();
    await world.begin(job.id);
    await world.crowd(job.id, 200, (index) => (index < 3 ? 'open' : 'throttled'));
    const message = world.range(job.id, { until: 'x' }, 9);
    await broadcast([{ messageId: 'm', message }], { ...world.parts, portion: 1_000 }, world.endsAt);
    const tried = world.posts;
    expect(tried).toBeLessThan(60);
    expect(world.broadcasts.waiting).toEqual([
      {
        message: {
          ...message,
          range: { after: nameOf(tried - 1), until: 'x' },
          posts: 200 - tried,
          attempt: 1,
        },
        delaySeconds: 1, // half of the ceiling of 2
      },
    ]);
    expect(world.deliveries.waiting).toHaveLength(tried - 3);
    expect(world.telemetry.sum('RangesSentBack')).toBe(1);
  });

  test.each(['throttled', 'unavailable', 'refused'] as const)(
    'in which every post is %s goes back as one message, later each time',
    async (health) => {
      const world = new Crowd();
      world.perSecond = 100;
      const { job } = await world.job();
      await world.begin(job.id);
      await world.crowd(job.id, 200, () => health);
      const message = world.range(job.id, { until: 'x' }, 3);
      await broadcast([{ messageId: 'm', message }], { ...world.parts, portion: 1_000 }, world.endsAt);
      expect(world.posts).toBeLessThan(60);
      expect(world.broadcasts.waiting).toEqual([
        { message: { ...message, posts: 200, attempt: 4 }, delaySeconds: 8 }, // half of 2 to the 4th
      ]);
      expect(world.deliveries.waiting).toEqual([]);
    },
  );

  test.each([0.15, 0.3, 0.5])(
    'of which a part of %s is throttled all the while: everybody is tried',
    async (part) => {
      const world = new Crowd();
      world.perSecond = 100;
      const { job } = await world.job();
      await world.crowd(job.id, 300);
      const random = seededRandom(7);
      const tried = new Set<string>();
      world.connections.post = async (connection) => {
        tried.add(connection);
        if (random() < part) throw new UnavailableError('API Gateway', { throttled: true });
      };
      const large = { ...world.parts, portion: 100 };
      await publish(world.changes, large, world.endsAt);
      await world.workAll(large);
      expect(tried.size).toBe(300);
      expect(world.telemetry.sum('RangesAbandoned')).toBe(0);
    },
  );

  test('that comes back when a newer round has begun is dropped, and one that is new is not', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 10);
    await world.begin(job.id);
    await world.begin(job.id, 'newer');
    await world.work(world.range(job.id, {}, 1));
    expect(world.posts).toBe(0);
    expect(world.telemetry.sum('RangesSuperseded')).toBe(1);
    await world.work(world.range(job.id));
    expect(world.posts).toBe(10);
  });

  test('that is empty says nothing of how much API Gateway takes', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    const { parts } = world;
    parts.pace.slowDown();
    const slow = parts.pace.perSecond;
    const tell = () => broadcast([{ messageId: 'm', message: world.range(job.id) }], parts, world.endsAt);
    await tell();
    expect(parts.pace.perSecond).toBe(slow);
    await world.crowd(job.id, 1);
    await tell();
    expect(parts.pace.perSecond).toBeGreaterThan(slow);
  });

  test('that one slow client throttles goes on', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 10, (index) => (index === 3 ? 'throttled' : 'open'));
    await world.work(world.range(job.id));
    expect(world.broadcasts.waiting).toEqual([]);
    expect(world.deliveries.waiting.map(({ message }) => message.connection)).toEqual([nameOf(3)]);
    expect(world.telemetry.sum('FramesBroadcast')).toBe(9);
  });

  test('is given up after enough attempts', async () => {
    const world = new Crowd();
    world.perSecond = 100;
    const { job } = await world.job();
    await world.begin(job.id);
    await world.crowd(job.id, 200, () => 'throttled');
    const message = world.range(job.id, {}, MAXIMUM_ATTEMPTS - 1);
    await broadcast([{ messageId: 'm', message }], { ...world.parts, portion: 1_000 }, world.endsAt);
    expect(world.broadcasts.waiting).toEqual([]);
    expect(world.telemetry.sum('RangesAbandoned')).toBe(1);
    expect(world.telemetry.messages('warn')).toHaveLength(1);
  });

  test('sends back at once what the function has no time for', async () => {
    const world = new Crowd();
    world.perSecond = 1;
    const { job } = await world.job();
    await world.begin(job.id);
    await world.crowd(job.id, 10);
    const message = world.range(job.id);
    await broadcast([{ messageId: 'm', message }], world.parts, world.now.getTime() + 14_500);
    const rest = world.broadcasts.take();
    expect(rest).toHaveLength(1);
    expect(rest[0]).toMatchObject({ delaySeconds: 0, message: { kind: 'range', attempt: 1 } });
    const told = world.posts + world.deliveries.waiting.length;
    expect(told).toBeLessThan(10);
    for (const { message: left } of rest) await world.work(left);
    const owed = world.deliveries.waiting.map(({ message: { connection } }) => connection);
    expect(new Set([...world.order, ...owed]).size).toBe(10);
  });

  test('forgets those who are gone, and owes those who are not there yet', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    const healths: readonly Health[] = ['gone', 'connecting', 'unavailable', 'refused', 'open'];
    await world.crowd(job.id, 5, (index) => healths[index] ?? 'open');
    await world.work(world.range(job.id));
    expect(await world.subscriptions.count(nameOf(0))).toBe(0);
    expect(
      world.deliveries.waiting.map(({ message, delaySeconds }) => [message.connection, delaySeconds]),
    ).toEqual([
      [nameOf(1), 1],
      [nameOf(2), 2],
      [nameOf(3), 2],
    ]);
    expect(world.telemetry.sum('FramesPostponed')).toBe(3);
  });
});

describe('what comes again', () => {
  test.each([
    'watchers',
    'lastWatcher',
    'take',
    'takes, but does not say so',
    'lengthen',
    'rest',
    'owed',
  ] as const)('a message that met one passing error, with a delay of seconds: %s', async (step) => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 35, (index) => (index === 3 ? 'unavailable' : 'open'));
    await publish(world.changes, world.parts, world.endsAt);
    failOnce(world, step);
    await world.workAll();
    expect(new Set(world.order).size).toBe(35);
    expect(new Set(world.deliveries.waiting.map(({ message }) => message.connection))).toEqual(
      new Set([nameOf(3)]),
    );
    // What had been handed on was not handed on again: at most one page was told twice.
    expect(world.posts).toBeLessThanOrEqual(35 + rowsOfPage(10));
  });

  test('a message that cannot even be sent again, or was too often: by itself', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 30);
    world.broadcasts.failNext(new UnavailableError('SQS'), new UnavailableError('SQS'));
    expect(await world.work(world.range(job.id))).toBe(true);
    world.subscriptions.watchers = () => Promise.reject(new UnavailableError('DynamoDB'));
    expect(await world.work(world.range(job.id, {}, MAXIMUM_ATTEMPTS - 1))).toBe(true);
    expect(world.posts).toBe(0);
    expect(world.telemetry.messages('error')).toHaveLength(2);
  });

  test('a job that cannot be read: the range, later', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 3);
    world.jobs.read = () => Promise.reject(new UnavailableError('DynamoDB'));
    expect(await world.work(world.range(job.id))).toBe(false);
    expect(world.broadcasts.waiting).toEqual([
      { message: { ...world.range(job.id, {}, 1), posts: 3 }, delaySeconds: 1 },
    ]);
  });

  test('a malformed message and a malformed job, so that they end among the dead letters', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 3);
    world.jobs.read = () => Promise.reject(new MalformedDataError('A job'));
    const kept = await broadcast(
      [
        { messageId: 'body', malformed: new MalformedDataError('A body') },
        { messageId: 'job', message: world.range(job.id) },
      ],
      world.parts,
      world.endsAt,
    );
    expect(kept).toEqual(['body', 'job']);
  });

  test('a batch of the stream whose audience could not be announced', async () => {
    const world = new Crowd();
    const { job } = await world.job();
    await world.crowd(job.id, 30);
    world.broadcasts.failNext(new UnavailableError('SQS'));
    expect(await publish(world.changes, world.parts, world.endsAt)).toBe('1000');
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    await world.workAll();
    expect(new Set(world.order).size).toBe(30);
  });
});
