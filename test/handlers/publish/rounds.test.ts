import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../../handlers/errors.ts';
import { MemoryBroadcastRounds } from '../../../handlers/memory/memory-broadcast-rounds.ts';
import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import { MemorySubscriptions } from '../../../handlers/memory/memory-subscriptions.ts';
import { broadcast } from '../../../handlers/publish/broadcast.ts';
import type { JobChange } from '../../../handlers/publish/newest-states.ts';
import { PostPace } from '../../../handlers/publish/post-pace.ts';
import { type PublishParts, publish } from '../../../handlers/publish/publish.ts';
import type { BroadcastParts } from '../../../handlers/publish/tell-range.ts';
import type { Broadcast } from '../../../handlers/queue-messages.ts';
import { parseServerFrame } from '../../../protocol/frames.ts';
import { MADE_AT, sampleNewJob, secondsLater } from '../../conformance/sample-jobs.ts';
import { RecordedTelemetry } from '../process/recorded-telemetry.ts';
import { interleaved } from '../socket/interleaved.ts';
import { Life } from './mortal.ts';
import { World } from './world.ts';

const WATCHERS = 3;
/** So small that four watchers take several ranges. */
const PORTION = 1;
/** As long as a function lives; nothing here takes any time of the clock. */
const LONG = 1_000_000_000;

interface Message {
  readonly messageId: string;
  readonly message: Broadcast;
  readonly visibleAt: number;
}

/**
 * What fast-check decides: who dies after how many moments, which messages SQS hands out twice, and which steps,
 * counted over all, fail for a moment, though some of them have taken effect.
 */
interface Fate {
  readonly lives: readonly (number | undefined)[];
  readonly twice: readonly number[];
  readonly faults: readonly { readonly step: number; readonly tookEffect: boolean }[];
}

/** A stream with its publisher, a queue with as many deliverers as it has messages, and a clock. */
class Theatre {
  readonly jobs = new MemoryJobs({
    onCommit: (record) => {
      this.#stream.push({ sequenceNumber: String(this.#stream.length), at: new Date(MADE_AT), record });
      void this.#follow();
    },
  });
  readonly subscriptions = new MemorySubscriptions();
  /** The newest state that each connection has seen. */
  readonly seen = new Map<string, number>();
  readonly #scheduler: fc.Scheduler;
  readonly #rounds = new MemoryBroadcastRounds();
  readonly #lives: (number | undefined)[];
  readonly #twice: ReadonlySet<number>;
  readonly #faults: Fate['faults'];
  #steps = 0;
  readonly #telemetry = new RecordedTelemetry();
  readonly #stream: JobChange[] = [];
  #queue: Message[] = [];
  #published = 0;
  #publishing = false;
  #messages = 0;
  #now = Date.parse(MADE_AT);

  constructor(scheduler: fc.Scheduler, { lives, twice, faults }: Fate) {
    this.#scheduler = scheduler;
    this.#lives = [...lives];
    this.#twice = new Set(twice);
    this.#faults = faults;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#handOut();
  }

  see(connection: string, seq: number): void {
    this.seen.set(connection, Math.max(this.seen.get(connection) ?? 0, seq));
  }

  /** Goes on until nothing is left to do, whenever it is due. */
  async end(): Promise<void> {
    for (let round = 0; round < 1_000; round += 1) {
      await this.#scheduler.waitIdle();
      const due = Math.min(...this.#queue.map(({ visibleAt }) => visibleAt));
      if (due === Number.POSITIVE_INFINITY) return;
      this.advance(due - this.#now);
    }
    throw new Error('It never ends');
  }

  /** The publisher takes what is in the stream, batch by batch, and a batch again when it has failed. */
  async #follow(): Promise<void> {
    if (this.#publishing) return;
    this.#publishing = true;
    while (this.#published < this.#stream.length) {
      const batch = this.#stream.slice(this.#published);
      const life = new Life(this.#lives.shift());
      const again = await life.lead(publish(batch, this.#parts(life), LONG * LONG));
      if (again === undefined) this.#published += batch.length;
    }
    this.#publishing = false;
  }

  #handOut(): void {
    const due = this.#queue.filter(({ visibleAt }) => visibleAt <= this.#now);
    this.#queue = this.#queue.filter(({ visibleAt }) => visibleAt > this.#now);
    for (const message of due) void this.#deliver(message);
  }

  async #deliver({ messageId, message }: Message): Promise<void> {
    const life = new Life(this.#lives.shift());
    const kept = await life.lead(broadcast([{ messageId, message }], this.#parts(life), LONG * LONG));
    if (kept === 'died' || kept.length > 0) {
      // The visibility time-out of infrastructure/publishing.ts.
      this.#queue.push({ messageId, message, visibleAt: this.#now + 60_000 });
    }
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#steps += 1;
    const fault = this.#faults.find(({ step }) => step === this.#steps);
    if (fault === undefined) return await work();
    if (fault.tookEffect) await work();
    throw new UnavailableError('A service');
  }

  #parts(life: Life): PublishParts & BroadcastParts {
    const step = <Arguments extends unknown[], Result>(work: (...args: Arguments) => Promise<Result>) =>
      life.step(this.#scheduler, (...args: Arguments) => this.#attempt(() => work(...args)));
    const { jobs, subscriptions } = this;
    const rounds = this.#rounds;
    return {
      jobs: { read: step((id: string) => jobs.read(id)) },
      subscriptions: Object.assign(new MemorySubscriptions(), {
        watchers: step((...page: Parameters<typeof subscriptions.watchers>) =>
          subscriptions.watchers(...page),
        ),
        lastWatcher: step((...range: Parameters<typeof subscriptions.lastWatcher>) =>
          subscriptions.lastWatcher(...range),
        ),
      }),
      rounds: {
        begin: step((...round: Parameters<typeof rounds.begin>) => rounds.begin(...round)),
        follow: step((...round: Parameters<typeof rounds.follow>) => rounds.follow(...round)),
        take: step((...round: Parameters<typeof rounds.take>) => rounds.take(...round)),
        lengthen: step((...round: Parameters<typeof rounds.lengthen>) => rounds.lengthen(...round)),
      },
      connections: {
        post: async (connection, text) => {
          const frame = parseServerFrame(text);
          if (frame.type === 'job') this.see(connection, frame.job.seq);
        },
      },
      deliveries: { send: () => Promise.reject(new Error('every post succeeds')) },
      broadcasts: {
        send: step(async (messages: readonly Broadcast[], options: { delaySeconds?: number } = {}) => {
          for (const message of messages) this.#send(message, options.delaySeconds ?? 0);
        }),
      },
      pace: new PostPace({ perSecond: LONG, now: () => 0, pause: async () => {} }),
      postsPerSecond: 4,
      portion: PORTION,
      pause: async () => {},
      now: () => new Date(this.#now),
      random: () => 0.5,
      log: this.#telemetry.log,
      meter: this.#telemetry.meter,
    };
  }

  #send(message: Broadcast, delaySeconds: number): void {
    this.#messages += 1;
    const sent = {
      messageId: `m${this.#messages}`,
      message: structuredClone(message),
      visibleAt: this.#now + delaySeconds * 1_000,
    };
    this.#queue.push(sent);
    if (this.#twice.has(this.#messages)) this.#queue.push(sent);
    this.#handOut();
  }
}

const fate = fc.record({
  lives: fc.array(fc.option(fc.integer({ min: 1, max: 24 }), { nil: undefined }), { maxLength: 10 }),
  twice: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
  faults: fc.array(fc.record({ step: fc.integer({ min: 1, max: 60 }), tookEffect: fc.boolean() }), {
    maxLength: 6,
  }),
});
/** What happens in any order, before the next of these begins. */
const scene = fc.record({
  changes: fc.integer({ min: 1, max: 2 }),
  /** How far the clock moves: within a round, beyond one, beyond one that counts as lost. */
  ticks: fc.array(fc.constantFrom(300, 2_500, 11_000), { maxLength: 2 }),
});

test('whatever the order, whoever dies, whatever fails for a moment: every watcher of a large audience sees the newest state', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fate,
      fc.array(scene, { minLength: 1, maxLength: 4 }),
      async (scheduler, decided, scenes) => {
        const theatre = new Theatre(scheduler, decided);
        const { jobs, subscriptions } = theatre;
        const { id } = (await jobs.create(sampleNewJob())).job;
        const watch = async (connection: string) => {
          const row = { connection, since: MADE_AT, expiresAt: secondsLater(LONG) };
          await subscriptions.add({ topic: `job:${id}`, ...row });
        };
        const names = Array.from({ length: WATCHERS }, (_, index) => `c${index}`);
        for (const name of names) await watch(name);

        const change = interleaved(scheduler, () =>
          jobs.change(id, { at: MADE_AT, within: ['awaiting-upload'], set: { message: 'm' } }),
        );
        const tick = interleaved(scheduler, async (milliseconds: number) => theatre.advance(milliseconds));
        const add = interleaved(scheduler, () => watch('late'));
        const look = interleaved(scheduler, () => jobs.read(id));
        const subscribe = async () => {
          await add();
          theatre.see('late', (await look())?.job.seq ?? 0);
        };
        const happenings: Promise<unknown>[] = [];
        for (const [index, { changes, ticks }] of scenes.entries()) {
          if (index === scenes.length - 1) happenings.push(subscribe());
          for (let made = 0; made < changes; made += 1) happenings.push(change());
          for (const moment of ticks) happenings.push(tick(moment));
          await scheduler.waitIdle();
        }
        await theatre.end();
        await Promise.all(happenings);

        const seq = (await jobs.read(id))?.job.seq ?? 0;
        expect(seq).toBe(1 + scenes.reduce((sum, { changes }) => sum + changes, 0));
        expect(Object.fromEntries(theatre.seen)).toEqual(
          Object.fromEntries([...names, 'late'].map((name) => [name, seq])),
        );
      },
    ),
    { numRuns: 40 },
  );
});

describe('one step at a time', () => {
  /** A job with three watchers that nobody has been told of yet, where two are the most for one execution. */
  async function crowd() {
    const world = new World(1_000, 2);
    const record = await world.job();
    for (const name of ['a', 'b', 'c']) await world.watch(name, `job:${record.job.id}`);
    const tell = async () => await publish(world.changes.splice(0), world.parts, world.endsAt);
    return { world, record, tell, audience: { topic: `job:${record.job.id}`, job: record.job.id } as const };
  }

  test('nothing is noted of a message that could not be sent', async () => {
    const { world, record, tell, audience } = await crowd();
    await tell();
    await world.change(record);
    const { changes } = world;
    const batch = [...changes];
    world.broadcasts.failNext(new UnavailableError('SQS'));
    expect(await tell()).toBe(batch[0]?.sequenceNumber);
    const beginning = { ...audience, by: 'test', now: world.now.getTime(), until: 0 };
    expect(await world.rounds.begin(beginning)).toMatchObject({ begun: false, followed: false });
    changes.push(...batch);
    expect(await tell()).toBeUndefined();
    expect(await world.rounds.begin(beginning)).toMatchObject({ begun: false, followed: true });
    expect(world.broadcasts.waiting.map(({ message }) => message.kind)).toEqual(['round', 'next-round']);
  });

  test('a note that could not be written costs a message more, and no update', async () => {
    const { world, record, tell } = await crowd();
    await tell();
    await world.change(record);
    const batch = [...world.changes];
    const { follow } = world.rounds;
    world.rounds.follow = () => Promise.reject(new UnavailableError('DynamoDB'));
    expect(await tell()).toBe(batch[0]?.sequenceNumber);
    world.rounds.follow = follow;
    world.changes.push(...batch);
    expect(await tell()).toBeUndefined();
    const kinds = world.broadcasts.waiting.map(({ message }) => message.kind);
    expect(kinds).toEqual(['round', 'next-round', 'next-round']);
  });

  test('whoever takes a round reads job and rows after it, because it stands for all that came before', async () => {
    const { world, record, tell, audience } = await crowd();
    await tell();
    const take = world.rounds.take.bind(world.rounds);
    world.rounds.take = async (...asked) => {
      await world.change(record);
      await world.watch('d', audience.topic);
      return await take(...asked);
    };
    const readings = world.broadcasts.take().map(({ message }) => ({ messageId: 'm', message }));
    expect(await broadcast(readings, world.parts, world.endsAt)).toEqual([]);
    const rest = world.broadcasts.take().map(({ message }, index) => ({ messageId: `${index}`, message }));
    expect(await broadcast(rest, world.parts, world.endsAt)).toEqual([]);
    for (const name of ['a', 'b', 'c', 'd']) {
      expect(world.statesOf(name).map(({ seq }) => seq)).toEqual([2]);
    }
  });

  test('rounds that wait in a queue that is behind are told once, by the first that comes out', async () => {
    const { world, record, tell } = await crowd();
    for (let change = 0; change < 5; change += 1) {
      await world.change(record);
      await tell();
      world.now = new Date(world.now.getTime() + 10_000);
    }
    const waiting = world.broadcasts.take();
    expect(waiting.filter(({ message }) => message.kind === 'round')).toHaveLength(5);
    const readings = waiting.map(({ message }, index) => ({ messageId: `m${index}`, message }));
    expect(await broadcast(readings, world.parts, world.endsAt)).toEqual([]);
    expect(world.posts).toBe(2);
  });

  test('one state is one round, however often its batch comes again for the sake of another job', async () => {
    const { world, record } = await crowd();
    await world.change(record);
    const sick = await world.job([], 'bob');
    const watchers = world.subscriptions.watchers.bind(world.subscriptions);
    world.subscriptions.watchers = (topic, page) =>
      topic === `job:${sick.job.id}`
        ? Promise.reject(new UnavailableError('DynamoDB'))
        : watchers(topic, page);
    let messages = 0;
    const work = async () => {
      for (;;) {
        const taken = world.broadcasts.take();
        if (taken.length === 0) return;
        for (const { message } of taken) {
          messages += 1;
          expect(
            await broadcast([{ messageId: `m${messages}`, message }], world.parts, world.endsAt),
          ).toEqual([]);
        }
      }
    };
    const batch = [...world.changes];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      expect(await publish(batch, world.parts, world.endsAt)).toBeDefined();
      await work();
      world.now = new Date(world.now.getTime() + 2_000);
    }
    expect(world.posts).toBe(3);
  });

  test('a message that has begun and taken a round, and dies, has it told when it comes again', async () => {
    const { world, record, tell, audience } = await crowd();
    await tell();
    const [first] = world.broadcasts.take();
    if (first === undefined) throw new Error('no round');
    await broadcast([{ messageId: 'first', message: first.message }], world.parts, world.endsAt);
    world.broadcasts.take();
    await world.change(record);
    await tell();
    const [next] = world.broadcasts.take();
    if (next === undefined) throw new Error('no next round');
    world.now = new Date(world.now.getTime() + 60_000);
    // What became of it before it died:
    const at = world.now.getTime();
    expect(
      await world.rounds.begin({ ...audience, by: 'next', now: at, until: at + 10_000, behind: 1 }),
    ).toEqual({ begun: true, round: 2 });
    expect(await world.rounds.take(audience, 'next', at + 1_000)).toBe(2);
    world.now = new Date(at + 60_000);
    expect(
      await broadcast([{ messageId: 'next', message: next.message }], world.parts, world.endsAt),
    ).toEqual([]);
    expect(world.statesOf('a').map(({ seq }) => seq)).toEqual([1, 2]);
  });
});
