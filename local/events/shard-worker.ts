import type { Clock } from '../clock.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import { Lane, type LaneSettings, laneOf } from './lane.ts';
import type { EventMatcher } from './pattern.ts';
import { pause } from './pause.ts';
import { PollSchedule } from './poll-schedule.ts';
import { ShardProgress } from './shard-progress.ts';
import type { ShardReader } from './shard-reader.ts';
import { type RecordSource, type StreamRecord, toStreamRecord } from './stream-record.ts';

/** After a failed read, in milliseconds. */
const READ_RETRY_MS = 1_000;
/** Records that a shard may hold in memory beside the batches under way. */
const BUFFERED_RECORDS = 1_000;

/** What one shard is worked off with. */
export interface ShardWorkerSettings extends Omit<LaneSettings, 'deliver'> {
  readonly clock: Clock;
  readonly shardId: string;
  readonly reader: ShardReader;
  readonly source: RecordSource;
  readonly matches: EventMatcher;
  readonly parallelizationFactor: number;
  readonly deliver: (batch: readonly StreamRecord[], settle: (record: StreamRecord) => void) => Promise<void>;
  readonly checkpoints: CheckpointFile;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Reads one shard, filters its records and hands them to its lanes, until it ends or the mapping closes. */
export class ShardWorker {
  readonly #settings: ShardWorkerSettings;
  readonly #schedule: PollSchedule;
  readonly #lanes: readonly Lane[];
  readonly #progress: ShardProgress;
  #failing = false;

  constructor(settings: ShardWorkerSettings) {
    this.#settings = settings;
    this.#schedule = new PollSchedule(settings.clock);
    this.#progress = new ShardProgress((sequenceNumber) =>
      settings.checkpoints.set(settings.shardId, { sequenceNumber }),
    );
    const settle = ({ sequenceNumber }: StreamRecord) => this.#progress.settle(sequenceNumber);
    const deliver = (batch: readonly StreamRecord[]) => settings.deliver(batch, settle);
    this.#lanes = Array.from(
      { length: settings.parallelizationFactor },
      () => new Lane({ ...settings, deliver }),
    );
  }

  /** Reads at once: something was written. */
  wake(): void {
    this.#schedule.wake();
  }

  /** Resolves to true when the shard is worked off to its end, to false when `close` came first. */
  async run(): Promise<boolean> {
    const { signal, batchSize, parallelizationFactor, checkpoints, shardId } = this.#settings;
    const room = Math.max(BUFFERED_RECORDS, batchSize * parallelizationFactor * 2);
    while (!signal.aborted) {
      await this.#progress.fewerThan(room);
      const page = await this.#read();
      if (page === undefined) continue;
      if (page.ended) {
        await this.#progress.fewerThan(1);
        if (signal.aborted) return false;
        checkpoints.set(shardId, { ...checkpoints.get(shardId), ended: true });
        return true;
      }
      await this.#schedule.next(page.found);
    }
    return false;
  }

  /** Waits for the batches under way; call it when the signal is aborted. */
  async close(): Promise<void> {
    this.#schedule.close();
    this.#progress.close();
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  async #read(): Promise<{ found: number; ended: boolean } | undefined> {
    const { reader, signal, clock, log, shardId } = this.#settings;
    try {
      const { records, ended } = await reader.read(signal);
      this.#failing = false;
      for (const record of records) {
        const converted = toStreamRecord(shardId, record, this.#settings.source);
        if (converted !== undefined) this.#accept(converted);
      }
      for (const lane of this.#lanes) lane.flush();
      return { found: records.length, ended };
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!this.#failing) log(`Cannot read the stream shard ${shardId}, trying again: ${String(error)}`);
      this.#failing = true;
      await pause(clock, READ_RETRY_MS, signal);
      return undefined;
    }
  }

  #accept(record: StreamRecord): void {
    this.#progress.read(record.sequenceNumber);
    const lane = this.#lanes[laneOf(record, this.#lanes.length)];
    // What the filter drops counts as done: the checkpoint passes it (aws-facts 3.3).
    if (lane === undefined || !this.#settings.matches(record.event))
      this.#progress.settle(record.sequenceNumber);
    else lane.push(record);
  }
}
