import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobWatch } from '../../client/job-watch.ts';
import type { Timings } from '../../client/timings.ts';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import type { Watching } from '../../client/watcher.ts';
import type { Job } from '../../protocol/job.ts';
import { FakeGateway } from './fake-gateway.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { Setting } from './setting.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** Numbers of [0, 1) that are the same for the same seed (mulberry32, public domain). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A day in the life of a watch: what was committed, what came, and what was ever wrong. */
class Day {
  readonly clock = new ManualClock();
  readonly random: () => number;
  readonly gateway: FakeGateway;
  readonly client: WatchClient;
  readonly committed = new Map<string, number[]>();
  readonly told = new Map<Watching, Map<string, number[]>>();
  readonly statuses: string[] = [];
  /** How many steps of the clock found no subscribed connection. */
  gaps = 0;
  /** The most connections at once. */
  most = 0;

  constructor(seed: number, timings: Partial<Timings> = {}) {
    this.random = seeded(seed);
    this.gateway = new FakeGateway(this.clock, this.random);
    this.client = createWatchClient({
      api: 'http://gateway',
      clock: this.clock,
      random: this.random,
      timings,
      fetch: this.gateway.fetch,
      WebSocket: this.gateway.WebSocket,
      onWake: () => () => {},
    });
  }

  commit(job: Job): void {
    this.committed.set(job.id, [...(this.committed.get(job.id) ?? []), job.seq]);
    this.gateway.commit(job);
  }

  watch(watch: Watching): void {
    const jobs = new Map<string, number[]>();
    this.told.set(watch, jobs);
    watch.on((event) => {
      if (event.type === 'connection') this.statuses.push(event.connection.status);
      if (event.type === 'job') jobs.set(event.job.id, [...(jobs.get(event.job.id) ?? []), event.job.seq]);
    });
  }

  /** Runs what falls due until `end`, letting promises settle between, and looks at the connections each time. */
  async run(end: number, topics: readonly string[] = []): Promise<void> {
    while (this.clock.now() < end) {
      this.clock.advance(Math.min(this.clock.nextInMs ?? end, end - this.clock.now()));
      await settled();
      const connections = this.gateway.subscribed(topics);
      this.most = Math.max(this.most, connections);
      if (connections === 0) this.gaps += 1;
    }
  }

  /** Commits the next state of a job. */
  change(job: number): void {
    const seq = (this.committed.get(jobId(job))?.at(-1) ?? 0) + 1;
    this.commit(sampleJob(seq, 'running', { id: jobId(job) }));
  }

  /** Commits changes of a job at random moments until `end`, at least `apartMs` from each other. */
  changeAtRandom(job: number, end: number, apartMs: number): void {
    const inMs = apartMs + this.random() * this.random() * 20 * 60_000;
    if (this.clock.now() + inMs > end) return;
    this.clock.schedule(inMs, () => {
      this.change(job);
      this.changeAtRandom(job, end, apartMs);
    });
  }

  /** Commits changes of a job as fast as they keep their order over two connections, wherever the next is made. */
  changeAtRotations(job: number): void {
    this.gateway.onTicket = () => {
      for (let change = 1; change <= 20; change += 1)
        this.clock.schedule(change * 150, () => this.change(job));
    };
  }
}

let day: Day | undefined;
let setting: Setting | undefined;
afterEach(async () => {
  day?.client.close();
  await setting?.[Symbol.asyncDispose]();
});

describe('rotation', () => {
  it.each([1, 2, 3])(
    'loses nothing, repeats nothing and never flickers over 24 hours (seed %i)',
    async (seed) => {
      day = new Day(seed);
      const { client, clock, gateway } = day;
      const begun = clock.now();
      for (let job = 1; job <= 5; job += 1) day.change(job);
      await day.run(begun + 1_000);
      for (let job = 1; job <= 3; job += 1) day.watch(client.watchJob(jobId(job)));
      day.watch(client.watchTopic('owner:me'));
      await day.run(begun + 5_000);
      expect(day.statuses).toEqual(['live', 'live', 'live', 'live']);
      day.gaps = 0;

      for (let job = 1; job <= 4; job += 1) day.changeAtRandom(job, begun + DAY_MS, 400);
      day.changeAtRotations(5);
      await day.run(begun + DAY_MS + 60_000, [jobId(1), jobId(2), jobId(3), 'owner:me']);

      for (const [watch, told] of day.told) {
        const { id } = watch as Partial<JobWatch>; // that of a topic has none
        const expected = [...day.committed].filter(([job]) => !id || id === job);
        expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
      }
      expect([...day.committed.values()].flat().length).toBeGreaterThan(500);
      expect(day.gaps).toBe(0);
      expect(day.statuses).toEqual(['live', 'live', 'live', 'live']);
      expect(gateway.cuts).toBe(0);
      expect(gateway.faults).toEqual([]);
      expect(gateway.opened).toBeGreaterThanOrEqual(13);
      expect(gateway.opened).toBeLessThanOrEqual(15);
      expect(day.most).toBe(2);
    },
  );

  it('loses nothing of a topic, which has no snapshot, that was on its way when the line was followed', async () => {
    day = new Day(6, { rotateMs: 60_000 });
    const { client, clock } = day;
    const begun = clock.now();
    const watch = client.watchTopic('owner:me');
    day.watch(watch);
    await day.run(begun + 5_000);
    day.changeAtRotations(1);
    await day.run(begun + DAY_MS / 2);
    day.gateway.onTicket = () => {};
    await day.run(begun + DAY_MS / 2 + 30_000);
    expect(day.told.get(watch)?.get(jobId(1))).toEqual(day.committed.get(jobId(1)));
    expect(day.statuses).toEqual(['live']);
  });

  it.each([7, 8])(
    'tells the newest state, and no state twice, where lines are cut at random (seed %i)',
    async (seed) => {
      day = new Day(seed);
      const { client, clock, gateway, random } = day;
      const begun = clock.now();
      day.commit(sampleJob(1));
      const watch = client.watchJob(jobId(1));
      day.watch(watch);
      const cutLater = () => {
        clock.schedule(random() * HOUR_MS, () => {
          gateway.cut();
          cutLater();
        });
      };
      cutLater();
      day.changeAtRandom(1, begun + DAY_MS, 0);
      await day.run(begun + DAY_MS + 120_000);
      const seqs = day.told.get(watch)?.get(jobId(1)) ?? [];
      expect(seqs.at(-1)).toBe(day.committed.get(jobId(1))?.at(-1));
      expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => one - other));
      expect(gateway.cuts).toBeGreaterThan(20);
      expect(gateway.faults).toEqual([]);
      expect(watch.connection.status).toBe('live');
    },
  );

  it('over real sockets subscribes with what it has before it closes the old one', async () => {
    setting = await Setting.start(undefined, { rotateMs: 20_000 });
    const { states, jobs } = setting.watch(jobId(1));
    const old = await setting.server.accept();
    const { id } = await old.expect('subscribe');
    old.send({ type: 'subscribed', id, job: sampleJob(3) });
    await jobs.next();
    setting.clock.advance(19_000); // a tenth less by jitter, of which there is half
    const next = await setting.server.accept();
    const frame = await next.expect('subscribe');
    const { epoch } = sampleJob(3);
    expect(frame).toMatchObject({ since: { epoch, seq: 3 } });
    expect(setting.server.open).toBe(2);
    // What was on its way over the old one still comes; over both it comes once.
    old.send({ type: 'job', job: sampleJob(4) });
    expect((await jobs.next()).seq).toBe(4);
    next.send({ type: 'subscribed', id: frame.id, job: sampleJob(4) });
    next.send({ type: 'job', job: sampleJob(5) });
    expect((await jobs.next()).seq).toBe(5);
    setting.clock.advance(10_000);
    expect(await old.closed).toBe(1000);
    expect(setting.server.open).toBe(1);
    expect(states.size).toBe(1);
    expect((await states.next()).status).toBe('live');
  });
});
