import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedDataError, UnavailableError } from '../../../handlers/errors.ts';
import { publish } from '../../../handlers/publish/publish.ts';
import { secondsLater } from '../../conformance/sample-jobs.ts';
import { type Health, World } from './world.ts';

describe('whom a change is told to', () => {
  test('the watchers of the job, its owner and its tags; once, and the newest state alone', async () => {
    const world = new World();
    const record = await world.job(['a', 'b']);
    const { id } = record.job;
    await world.watch('everything', `job:${id}`);
    await world.watch('everything', 'owner:ada');
    await world.watch('everything', 'tag:ada:a');
    await world.watch('owner', 'owner:ada');
    await world.watch('tag', 'tag:ada:b');
    await world.watch('another owner', 'owner:bob');
    await world.watch('another owner', 'tag:bob:a');
    await world.change(record);
    await world.change(record);
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    for (const connection of ['everything', 'owner', 'tag']) {
      expect(world.statesOf(connection).map(({ seq }) => seq)).toEqual([3]);
    }
    expect(world.statesOf('another owner')).toEqual([]);
    expect(world.telemetry.sum('FramesPosted')).toBe(3);
  });

  test('a row that has expired does not count, even before TTL has deleted it', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('late', `job:${record.job.id}`);
    world.now = new Date(secondsLater(7_801));
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.posts).toBe(0);
  });

  test('a later epoch of a job counts as newer', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('one', `job:${record.job.id}`);
    const anew = { ...record, job: { ...record.job, epoch: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' } };
    const at = new Date();
    await publish(
      [
        { sequenceNumber: '1', at, record: { ...record, job: { ...record.job, seq: 9 } } },
        { sequenceNumber: '2', at, record: anew },
      ],
      world.parts,
      world.endsAt,
    );
    expect(world.statesOf('one').map(({ epoch }) => epoch)).toEqual([anew.job.epoch]);
  });

  test('the time from commit to post is measured', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('one', `job:${record.job.id}`);
    world.now = new Date(Date.parse(record.job.updatedAt) + 40);
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.telemetry.figures).toContainEqual({ name: 'CommitToPost', value: 40 });
  });
});

describe('what goes wrong with one connection', () => {
  test('gone: exactly its rows are removed, and it is tried once for all jobs', async () => {
    const world = new World();
    const [one, other] = [await world.job(), await world.job()];
    await world.watch('gone', `job:${one.job.id}`, 'gone');
    await world.watch('gone', 'owner:ada', 'gone');
    await world.watch('alive', 'owner:ada');
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    expect(await world.subscriptions.count('gone')).toBe(0);
    expect(await world.subscriptions.count('alive')).toBe(1);
    expect(
      world
        .statesOf('alive')
        .map(({ id }) => id)
        .sort(),
    ).toEqual([one.job.id, other.job.id].sort());
    expect(world.deliveries.waiting).toEqual([]);
    expect(world.telemetry.sum('ConnectionsGone')).toBe(1);
  });

  test('still connecting: its rows stay, and it is tried again in a second', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('connecting', `job:${record.job.id}`, 'connecting');
    await publish(world.changes, world.parts, world.endsAt);
    expect(await world.subscriptions.count('connecting')).toBe(1);
    expect(world.deliveries.waiting).toEqual([
      {
        message: {
          job: record.job.id,
          connection: 'connecting',
          attempt: 0,
          connectingUntil: secondsLater(10),
        },
        delaySeconds: 1,
      },
    ]);
  });

  test('no longer connecting: gone', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('connecting', `job:${record.job.id}`, 'connecting');
    world.now = new Date(secondsLater(10));
    await publish(world.changes, world.parts, world.endsAt);
    expect(await world.subscriptions.count('connecting')).toBe(0);
  });

  test.each<Health>(['unavailable', 'throttled', 'refused', 'bug'])(
    '%s: handed to the deliveries queue',
    async (health) => {
      const world = new World();
      const record = await world.job();
      await world.watch('ill', 'owner:ada', health);
      await world.watch('well', 'owner:ada');
      expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
      expect(world.statesOf('well')).toHaveLength(1);
      expect(world.deliveries.waiting.map(({ message }) => message)).toEqual([
        { job: record.job.id, connection: 'ill', attempt: 0 },
      ]);
      expect(world.telemetry.sum('PostsRefused')).toBe(['unavailable', 'throttled'].includes(health) ? 0 : 1);
    },
  );

  test('a missing grant is one error in the log, and counted', async () => {
    const world = new World();
    await world.job();
    for (let index = 0; index < 30; index += 1) await world.watch(`c${index}`, 'owner:ada', 'refused');
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.telemetry.messages('error')).toHaveLength(1);
    expect(world.telemetry.sum('PostsRefused')).toBe(30);
    expect(world.deliveries.waiting).toHaveLength(30);
  });

  test('rows that cannot be removed now do not fail the batch', async () => {
    const world = new World();
    await world.job();
    await world.watch('gone', 'owner:ada', 'gone');
    world.subscriptions.removeConnection = () => Promise.reject(new UnavailableError('DynamoDB'));
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    expect(world.telemetry.messages('warn')).toHaveLength(1);
  });
});

describe('what the batch answers', () => {
  test('a malformed record is logged, counted and skipped', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('one', `job:${record.job.id}`);
    const malformed = { sequenceNumber: '999', malformed: new MalformedDataError('An item') };
    expect(
      await publish([malformed, ...world.changes, malformed], world.parts, world.endsAt),
    ).toBeUndefined();
    expect(world.statesOf('one')).toHaveLength(1);
    expect(world.telemetry.sum('MalformedChanges')).toBe(2);
  });

  test('nothing to do for an empty batch', async () => {
    expect(await publish([], new World().parts, new World().endsAt)).toBeUndefined();
  });

  test('watchers that cannot be read: from the first record of the first such job on', async () => {
    const world = new World();
    const [first, second, third] = [await world.job(), await world.job(), await world.job()];
    await world.change(third);
    await world.change(second);
    await world.change(first);
    for (const { job } of [first, second, third]) await world.watch(`of ${job.id}`, `job:${job.id}`);
    const watchers = world.subscriptions.watchers.bind(world.subscriptions);
    world.subscriptions.watchers = (topic, page) =>
      [`job:${second.job.id}`, `job:${third.job.id}`].includes(topic)
        ? Promise.reject(new UnavailableError('DynamoDB'))
        : watchers(topic, page);
    world.changes.reverse(); // third's newest is now ahead: what counts is where a job first occurs
    const sequenceNumbers = world.changes.map(({ sequenceNumber }) => sequenceNumber);
    const position = world.changes.findIndex(
      (change) => 'record' in change && change.record.job.id !== first.job.id,
    );
    expect(await publish(world.changes, world.parts, world.endsAt)).toBe(sequenceNumbers[position]);
  });

  test('a malformed subscription is logged, counted and left out', async () => {
    const world = new World();
    await world.job();
    await world.watch('one', 'owner:ada');
    const watchers = world.subscriptions.watchers.bind(world.subscriptions);
    world.subscriptions.watchers = async (topic, page) => ({
      ...(await watchers(topic, page)),
      malformed: 2,
    });
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    expect(world.statesOf('one')).toHaveLength(1);
    expect(world.telemetry.sum('MalformedSubscriptions')).toBe(6); // of three topics
    expect(world.telemetry.messages('error')).toHaveLength(3);
  });

  test('the others are posted to all the same', async () => {
    const world = new World();
    const [good, bad] = [await world.job([], 'ada'), await world.job([], 'bob')];
    await world.watch('good', `job:${good.job.id}`);
    const watchers = world.subscriptions.watchers.bind(world.subscriptions);
    world.subscriptions.watchers = (topic, page) =>
      topic === 'owner:bob' ? Promise.reject(new UnavailableError('DynamoDB')) : watchers(topic, page);
    expect(await publish(world.changes, world.parts, world.endsAt)).toBe('1001');
    expect(bad.owner).toBe('bob');
    expect(world.statesOf('good')).toHaveLength(1);
  });

  test('a deliveries queue that takes nothing: from the first job that is owed something', async () => {
    const world = new World();
    const [, second] = [await world.job([], 'ada'), await world.job([], 'bob')];
    await world.watch('ill', `job:${second.job.id}`, 'unavailable');
    world.deliveries.failNext(new UnavailableError('SQS'));
    expect(await publish(world.changes, world.parts, world.endsAt)).toBe('1001');
  });
});

describe('many watchers', () => {
  test('at most fifty things at a time, and as many as that', async () => {
    const world = new World();
    await world.job();
    for (let index = 0; index < 500; index += 1) await world.watch(`c${index}`, 'owner:ada');
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.posts).toBe(500);
    expect(world.mostConcurrent).toBe(50);
  });

  test('a job with a thousand watchers does not delay the others', async () => {
    const world = new World();
    const hot = await world.job([], 'crowd');
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, index) => world.job([], `owner ${index}`)),
    );
    for (let index = 0; index < 1_000; index += 1) await world.watch(`hot ${index}`, `job:${hot.job.id}`);
    for (const [index, { job }] of others.entries()) await world.watch(`quiet ${index}`, `job:${job.id}`);
    await publish(world.changes, world.parts, world.endsAt);
    const lastQuiet = world.order.findLastIndex((connection) => connection.startsWith('quiet'));
    expect(world.order).toHaveLength(1_020);
    expect(lastQuiet).toBeLessThan(150);
  });

  test('nor does one with five thousand, which is handed over', async () => {
    const world = new World();
    const hot = await world.job([], 'crowd');
    for (let index = 0; index < 5_000; index += 1) await world.watch(`hot ${index}`, `job:${hot.job.id}`);
    for (let index = 0; index < 20; index += 1) {
      const { job } = await world.job([], `owner ${index}`);
      await world.watch(`quiet ${index}`, `job:${job.id}`);
    }
    expect(await publish(world.changes, world.parts, world.endsAt)).toBeUndefined();
    expect(world.order.toSorted()).toEqual(
      Array.from({ length: 20 }, (_, index) => `quiet ${index}`).toSorted(),
    );
    expect(world.broadcasts.waiting).toHaveLength(1);
  });

  test('what many jobs have in common is read once', async () => {
    const world = new World();
    for (let index = 0; index < 60; index += 1) await world.job(['a']);
    await world.watch('one', 'owner:ada');
    const read: string[] = [];
    const watchers = world.subscriptions.watchers.bind(world.subscriptions);
    world.subscriptions.watchers = (topic, page) => {
      read.push(topic);
      return watchers(topic, page);
    };
    await publish(world.changes, world.parts, world.endsAt);
    expect(read.filter((topic) => !topic.startsWith('job:')).sort()).toEqual(['owner:ada', 'tag:ada:a']);
    expect(world.statesOf('one')).toHaveLength(60);
  });
});

describe('a burst', () => {
  /** How long a batch with so many states of a job, and one of another, takes by the world's clock. */
  async function timeOf(states: number, fail = false): Promise<number> {
    const world = new World();
    const record = await world.job();
    await world.watch('one', 'owner:ada', fail ? 'unavailable' : 'open');
    for (let state = 1; state < states; state += 1) await world.change(record);
    await world.job();
    if (fail) world.deliveries.failNext(new UnavailableError('SQS'), new UnavailableError('SQS'));
    const begun = world.now.getTime();
    await publish(world.changes, world.parts, world.endsAt);
    return world.now.getTime() - begun;
  }

  test('of states is held after the newest has been sent, so that the next ones gather', async () => {
    expect(await timeOf(3)).toBe(250);
    expect(await timeOf(98)).toBe(250);
  });

  test('is not what two states are; a full batch has more behind it, and one that fails comes again at once', async () => {
    expect(await timeOf(2)).toBe(0);
    expect(await timeOf(99)).toBe(0);
    expect(await timeOf(5, true)).toBe(0);
  });

  test('lasts no longer for a batch that took long by itself', async () => {
    const world = new World();
    const record = await world.job();
    await world.watch('ill', 'owner:ada', 'unavailable');
    world.hangs = 400;
    await world.change(record);
    await world.change(record);
    const begun = world.now.getTime();
    await publish(world.changes, world.parts, world.endsAt);
    expect(world.now.getTime() - begun).toBe(400);
  });
});

test('slow posts end ten seconds before the function does, and the rest is owed', async () => {
  const world = new World();
  const record = await world.job();
  for (let index = 0; index < 1_000; index += 1) await world.watch(`c${index}`, `job:${record.job.id}`);
  const post = world.connections.post.bind(world.connections);
  world.connections.post = async (connection, frame) => {
    await post(connection, frame);
    // 50 at a time and 3 s each: a second passes with every 17 posts.
    world.now = new Date(world.now.getTime() + 60);
  };
  const { endsAt } = world;
  expect(await publish(world.changes, world.parts, endsAt)).toBeUndefined();
  expect(world.now.getTime()).toBeLessThan(endsAt - 5_000);
  expect(world.posts).toBeLessThan(900);
  expect(world.posts).toBeGreaterThan(800);
  const owed = world.deliveries.waiting.map(({ message }) => message.connection);
  expect(new Set([...world.order, ...owed]).size).toBe(1_000);
  expect(owed).toHaveLength(1_000 - world.posts);
});

test.each(['throttled', 'unavailable'] as const)(
  'where every post is %s, few are tried, and the rest comes back spread over time',
  async (health) => {
    const world = new World();
    for (let job = 0; job < 10; job += 1) {
      const record = await world.job([], `owner ${job}`);
      for (let index = 0; index < 1_000; index += 1) {
        await world.watch(`${job} ${index}`, `job:${record.job.id}`, health);
      }
    }
    let drawn = 0;
    const random = () => {
      drawn += 1;
      return (drawn % 100) / 100;
    };
    expect(await publish(world.changes, { ...world.parts, random }, world.endsAt)).toBeUndefined();
    expect(world.posts).toBeLessThan(120);
    expect(world.deliveries.waiting).toHaveLength(10_000);
    const bySecond = Map.groupBy(world.deliveries.waiting, ({ delaySeconds }) => delaySeconds);
    expect(Math.max(...[...bySecond.values()].map(({ length }) => length))).toBeLessThan(700);
  },
);

test('whatever fails: every live watcher gets the newest state, or is owed it', async () => {
  const health = fc.constantFrom<Health>(
    'open',
    'open',
    'open',
    'gone',
    'connecting',
    'unavailable',
    'throttled',
    'refused',
  );
  const watcher = fc.record({
    health,
    topics: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(watcher, { maxLength: 25 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 25 }),
      fc.boolean(),
      async (watchers, changed, queueDown) => {
        const world = new World();
        const jobs = await Promise.all([0, 1, 2, 3].map((index) => world.job([`t${index % 2}`])));
        const topics = [
          ...jobs.map(({ job }) => `job:${job.id}` as const),
          'owner:ada',
          'tag:ada:t0',
          'tag:ada:t1',
          'owner:bob',
        ] as const;
        for (const [index, { health, topics: watched }] of watchers.entries()) {
          for (const topic of watched) await world.watch(`c${index}`, topics[topic] ?? 'owner:ada', health);
        }
        world.changes.length = 0;
        for (const index of changed) await world.change(jobs[index] ?? (await world.job()));
        if (queueDown) world.deliveries.failNext(new UnavailableError('SQS'));

        const again = await publish(world.changes, world.parts, world.endsAt);

        const owed = world.deliveries.waiting.map(({ message }) => `${message.connection} ${message.job}`);
        let lost = 0;
        for (const index of new Set(changed)) {
          const id = jobs[index]?.job.id ?? '';
          const seq = (await world.jobs.read(id))?.job.seq;
          const mine = new Set<string>([`job:${id}`, 'owner:ada', `tag:ada:t${index % 2}`]);
          for (const [position, { health, topics: watched }] of watchers.entries()) {
            const connection = `c${position}`;
            const got = world.statesOf(connection).filter((job) => job.id === id);
            const watches = watched.some((topic) => mine.has(topics[topic] ?? ''));
            const expected = watches && health === 'open' ? [seq] : [];
            expect(got.map((job) => job.seq)).toEqual(expected);
            const isOwed = watches && !['open', 'gone'].includes(health);
            const count = owed.filter((pair) => pair === `${connection} ${id}`).length;
            if (again === undefined) expect(count).toBe(isOwed ? 1 : 0);
            if (isOwed && count === 0) lost += 1;
            const wasTold = watches && health === 'gone';
            if (wasTold) expect(await world.subscriptions.count(connection)).toBe(0);
            if (health !== 'gone') {
              expect(await world.subscriptions.count(connection)).toBe(new Set(watched).size);
            }
          }
        }
        expect(again === undefined).toBe(lost === 0);
      },
    ),
    { numRuns: 150 },
  );
});
