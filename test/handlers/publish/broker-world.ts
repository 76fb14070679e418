import { MemoryBroker } from '../../../handlers/memory/memory-broker.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import type { Broker, JobRecord, Jobs } from '../../../handlers/ports.ts';
import { BrokerTeller, type RemovedJob } from '../../../handlers/publish/broker-teller.ts';
import { type RetainReading, retain } from '../../../handlers/publish/retain.ts';
import type { RetainedState } from '../../../handlers/queue-messages.ts';
import { parseServerFrame } from '../../../protocol/frames.ts';
import { World } from './world.ts';

/** A `World` whose changes are told to a broker as well. */
export class BrokerWorld extends World {
  readonly broker = new MemoryBroker();
  readonly retained = new MemoryQueue<RetainedState>();
  readonly #random: number;
  readonly teller = new BrokerTeller({
    broker: this.broker,
    retained: this.retained,
    now: () => this.now,
    random: () => this.#random,
    log: this.telemetry.log,
    meter: this.telemetry.meter,
  });

  /** By what messages are worked off. */
  retainsBy: Broker = this.broker;
  retainReads: Pick<Jobs, 'read'> = this.jobs;
  /** Messages of which the delay, or the time of their invisibility, is counted. */
  readonly #delayed: {
    readonly at: number;
    readonly message: RetainedState;
    readonly receiveCount: number;
  }[] = [];

  /** As `World.change`, but by the world's clock. */
  override async change(record: JobRecord): Promise<JobRecord> {
    const { status } = (await this.jobs.read(record.job.id))?.job ?? record.job;
    const at = this.now.toISOString();
    if (status === 'awaiting-upload') return this.jobs.change(record.job.id, { at, to: 'queued' });
    return this.jobs.change(record.job.id, { at, within: [status], set: { message: 'more' } });
  }

  /** `random`, from 0 to 1, is what back-off draws. */
  constructor(random = 0.5) {
    super();
    this.#random = random;
  }

  /** Tells what the stream holds, and empties it. */
  async tell(removed: readonly RemovedJob[] = []): Promise<string | undefined> {
    return await this.teller.tell(this.changes.splice(0), removed, this.endsAt);
  }

  /** Works off what waits, without its delay. Answers the messages that must come again. */
  async retainWaiting(receiveCount = 1): Promise<readonly string[]> {
    const readings = this.retained
      .take()
      .map(({ message }, index): RetainReading => ({ messageId: `m${index}`, receiveCount, message }));
    return await this.#retain(readings);
  }

  /** Works off what waits and is due now; what must come again does in a minute. */
  async retainDue(): Promise<void> {
    this.#count();
    const now = this.now.getTime();
    const due = this.#delayed.filter(({ at }) => at <= now);
    this.#delayed.splice(0, this.#delayed.length, ...this.#delayed.filter(({ at }) => at > now));
    const kept = await this.#retain(due.map((one, index) => ({ ...one, messageId: String(index) })));
    for (const [index, one] of due.entries()) {
      if (!kept.includes(String(index))) continue;
      this.#delayed.push({ ...one, at: now + 60_000, receiveCount: one.receiveCount + 1 });
    }
    this.#count();
  }

  /** When the next message is due, in milliseconds since the epoch; undefined where none waits. */
  get nextDue(): number | undefined {
    this.#count();
    return this.#delayed.map(({ at }) => at).sort((one, other) => one - other)[0];
  }

  /** Starts the delay of what was queued. */
  #count(): void {
    for (const { message, delaySeconds } of this.retained.take()) {
      this.#delayed.push({ at: this.now.getTime() + delaySeconds * 1000, message, receiveCount: 1 });
    }
  }

  async #retain(readings: readonly RetainReading[]): Promise<readonly string[]> {
    return await retain(readings, {
      jobs: this.retainReads,
      broker: this.retainsBy,
      retained: this.retained,
      now: () => this.now,
      random: () => this.#random,
      log: this.telemetry.log,
      meter: this.telemetry.meter,
    });
  }

  /** The `seq` of a job's retained state. */
  retainedSeq(job: string): number | undefined {
    const text = this.broker.retainedOf(job);
    return text === undefined ? undefined : seqOf(text);
  }

  /** The `seq` of every message that a subscriber gets from now on; 0 stands for an empty one. */
  subscribed(job: string): number[] {
    const seen: number[] = [];
    this.broker.subscribe(job, (text) => void seen.push(text === '' ? 0 : seqOf(text)));
    return seen;
  }
}

function seqOf(text: string): number {
  const frame = parseServerFrame(text);
  if (frame.type !== 'job') throw new Error(`a ${frame.type} frame`);
  return frame.job.seq;
}
