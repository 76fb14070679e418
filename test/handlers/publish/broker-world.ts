import { MemoryBroker } from '../../../handlers/memory/memory-broker.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import type { Broker } from '../../../handlers/ports.ts';
import { BrokerTeller, type RemovedJob } from '../../../handlers/publish/broker-teller.ts';
import { type RetainReading, retain } from '../../../handlers/publish/retain.ts';
import type { RetainedState } from '../../../handlers/queue-messages.ts';
import { parseServerFrame } from '../../../protocol/frames.ts';
import { World } from './world.ts';

/** A `World` whose changes are told to a broker as well. */
export class BrokerWorld extends World {
  readonly broker = new MemoryBroker();
  readonly retained = new MemoryQueue<RetainedState>();
  readonly teller = new BrokerTeller({
    broker: this.broker,
    retained: this.retained,
    now: () => this.now,
    random: () => 0.5,
    log: this.telemetry.log,
    meter: this.telemetry.meter,
  });

  /** By what `retainWaiting` publishes. */
  retainsBy: Broker = this.broker;

  /** Tells what the stream holds, and empties it. */
  async tell(removed: readonly RemovedJob[] = []): Promise<string | undefined> {
    return await this.teller.tell(this.changes.splice(0), removed, this.endsAt);
  }

  /** Works off what waits. Answers the messages that must come again. */
  async retainWaiting(): Promise<readonly string[]> {
    const readings = this.retained
      .take()
      .map(({ message }, index): RetainReading => ({ messageId: `m${index}`, message }));
    return await retain(readings, {
      jobs: this.jobs,
      broker: this.retainsBy,
      retained: this.retained,
      random: () => 0.5,
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
