import { ConnectionGoneError, RefusedError, UnavailableError } from '../../../handlers/errors.ts';
import { MemoryBroadcastRounds } from '../../../handlers/memory/memory-broadcast-rounds.ts';
import { MemoryConnections } from '../../../handlers/memory/memory-connections.ts';
import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import { MemorySubscriptions } from '../../../handlers/memory/memory-subscriptions.ts';
import type { JobRecord, SubscriptionTopic } from '../../../handlers/ports.ts';
import type { DeliverParts } from '../../../handlers/publish/deliver.ts';
import type { JobChange } from '../../../handlers/publish/newest-states.ts';
import { PostPace } from '../../../handlers/publish/post-pace.ts';
import type { PublishParts } from '../../../handlers/publish/publish.ts';
import type { BroadcastParts } from '../../../handlers/publish/tell-range.ts';
import type { Broadcast, Delivery } from '../../../handlers/queue-messages.ts';
import { parseServerFrame } from '../../../protocol/frames.ts';
import type { Job } from '../../../protocol/job.ts';
import { MADE_AT, sampleNewJob, secondsLater } from '../../conformance/sample-jobs.ts';
import { RecordedTelemetry } from '../process/recorded-telemetry.ts';

/** How a connection answers a post. `connecting` is gone too, but may still come. */
export type Health = 'open' | 'gone' | 'connecting' | 'unavailable' | 'throttled' | 'refused' | 'bug';

/** Jobs, subscriptions, connections of every health, and the stream of the jobs table. */
export class World {
  readonly changes: JobChange[] = [];
  readonly jobs = new MemoryJobs({
    onCommit: (record) => {
      this.changes.push({
        sequenceNumber: String(1000 + this.changes.length),
        at: new Date(MADE_AT),
        record,
      });
    },
  });
  readonly subscriptions: MemorySubscriptions;
  readonly connections = new MemoryConnections();
  readonly deliveries = new MemoryQueue<Delivery>();
  readonly broadcasts = new MemoryQueue<Broadcast>();
  readonly rounds = new MemoryBroadcastRounds();
  readonly telemetry = new RecordedTelemetry();
  readonly health = new Map<string, Health>();
  now = new Date(MADE_AT);
  /** How long a post to an `unavailable` connection takes, by the world's clock, in milliseconds. */
  hangs = 0;
  posts = 0;
  concurrent = 0;
  mostConcurrent = 0;
  /** Connections in the order in which they were posted to. */
  readonly order: string[] = [];
  /** The largest audience that is posted to at once. */
  readonly portion: number;
  /** Posts a second of one execution environment; by the world's clock, which only waiting moves. */
  perSecond = 1_000_000;

  constructor(pageSize = 5000, portion = 1000) {
    this.portion = portion;
    this.subscriptions = new MemorySubscriptions({ pageSize });
    const post = this.connections.post.bind(this.connections);
    this.connections.post = async (connection, frame) => {
      this.posts += 1;
      this.order.push(connection);
      this.concurrent += 1;
      this.mostConcurrent = Math.max(this.mostConcurrent, this.concurrent);
      await new Promise((resolve) => setImmediate(resolve));
      this.concurrent -= 1;
      const health = this.health.get(connection);
      if (health === 'gone' || health === 'connecting') throw new ConnectionGoneError(connection);
      if (health === 'unavailable') {
        this.now = new Date(this.now.getTime() + this.hangs);
        throw new UnavailableError('API Gateway');
      }
      if (health === 'throttled') throw new UnavailableError('API Gateway', { throttled: true });
      if (health === 'refused') throw new RefusedError('API Gateway', 'no grant');
      if (health === 'bug') throw new TypeError('a bug');
      await post(connection, frame);
    };
  }

  /** When the function ends that begins now: in a minute. */
  get endsAt(): number {
    return this.now.getTime() + 60_000;
  }

  get parts(): PublishParts & DeliverParts & BroadcastParts {
    return {
      jobs: this.jobs,
      subscriptions: this.subscriptions,
      connections: this.connections,
      deliveries: this.deliveries,
      broadcasts: this.broadcasts,
      rounds: this.rounds,
      portion: this.portion,
      pause: async (milliseconds) => {
        this.now = new Date(this.now.getTime() + milliseconds);
      },
      postsPerSecond: 5 * this.perSecond,
      pace: new PostPace({
        perSecond: this.perSecond,
        now: () => this.now.getTime(),
        pause: async (milliseconds) => {
          this.now = new Date(this.now.getTime() + milliseconds);
          await new Promise((resolve) => setImmediate(resolve)); // posts under way are answered meanwhile
        },
      }),
      now: () => this.now,
      random: () => 0.5,
      log: this.telemetry.log,
      meter: this.telemetry.meter,
    };
  }

  async job(tags: readonly string[] = ['nightly'], owner = 'ada'): Promise<JobRecord> {
    return this.jobs.create(sampleNewJob({ tags, owner }));
  }

  async change(record: JobRecord): Promise<JobRecord> {
    const { status } = (await this.jobs.read(record.job.id))?.job ?? record.job;
    const at = secondsLater(1);
    if (status === 'awaiting-upload') return this.jobs.change(record.job.id, { at, to: 'queued' });
    return this.jobs.change(record.job.id, { at, within: [status], set: { message: 'more' } });
  }

  async watch(connection: string, topic: SubscriptionTopic, health: Health = 'open'): Promise<void> {
    this.health.set(connection, health);
    if (health === 'open') this.connections.open(connection);
    await this.subscriptions.add({
      topic,
      connection,
      since: secondsLater(0),
      expiresAt: secondsLater(7_800),
      ...(health === 'connecting' ? { connectingUntil: secondsLater(10) } : {}),
    });
  }

  /** The states that a connection has got, in order. */
  statesOf(connection: string): readonly Job[] {
    return this.connections.framesOf(connection).map((text) => {
      const frame = parseServerFrame(text);
      if (frame.type !== 'job') throw new Error(`a ${frame.type} frame`);
      return frame.job;
    });
  }
}
