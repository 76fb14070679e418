import { REGION } from '../account.ts';
import { type Clock, systemClock, type Timer } from '../clock.ts';
import { deliverBatch } from './batch-delivery.ts';
import { CheckpointFile } from './checkpoint-file.ts';
import { type DiscardedBatch, destinationPayload } from './discarded-batch.ts';
import { compileFilters, type EventMatcher } from './pattern.ts';
import { backOffMs, pause } from './pause.ts';
import { type ShardPosition, ShardReader } from './shard-reader.ts';
import { ShardWorker } from './shard-worker.ts';
import type { StreamEventSourceMappingSettings } from './stream-event-source-mapping-settings.ts';
import { listShards, readyShards, type StreamShard } from './stream-shards.ts';

/** How often new shards are looked for, in milliseconds; those of an ended shard are looked for at once. */
const DISCOVERY_MS = 10_000;
/** Tries to send to the on-failure destination, before the loss is reported. */
const DESTINATION_TRIES = 5;

/**
 * Feeds the records of a DynamoDB stream to a function, as Lambda's event source mapping does: per shard in
 * order, parents before children, filtered, in batches, retried by the settings of the template.
 *
 * At least once: after a crash records since the last checkpoint come again.
 */
export class StreamEventSourceMapping {
  readonly #settings: StreamEventSourceMappingSettings;
  readonly #clock: Clock;
  readonly #matches: EventMatcher;
  readonly #checkpoints: CheckpointFile;
  readonly #closing = new AbortController();
  readonly #workers = new Map<string, ShardWorker>();
  readonly #started = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  /** Shards that are there when the mapping starts; `LATEST` applies to these alone. */
  #initial = true;
  #discovering: Promise<void> | undefined;
  #discoverAgain = false;
  #timer: Timer | undefined;

  private constructor(settings: StreamEventSourceMappingSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock;
    this.#matches = compileFilters(settings.filterPatterns ?? []);
    this.#checkpoints = new CheckpointFile(
      settings.checkpointFile,
      settings.streamArn,
      this.#clock,
      settings.log,
    );
  }

  /**
   * Starts to read. Resolves when the position in every shard is fixed: what is written from then on is
   * delivered. Throws `InvalidPatternError`; rejects with the SDK's error when the stream cannot be read.
   */
  static async start(settings: StreamEventSourceMappingSettings): Promise<StreamEventSourceMapping> {
    const mapping = new StreamEventSourceMapping(settings);
    await mapping.#discover();
    mapping.#initial = false;
    mapping.#scheduleDiscovery();
    return mapping;
  }

  /** Reads at once, because something was written to the table. */
  wake(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** Stops to read, ends retries, waits for the batches under way and writes the checkpoints. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    await this.#discovering?.catch(() => {
      // Reported by whoever started it; here only its end counts.
    });
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    await Promise.all(this.#running);
    this.#checkpoints.flush();
  }

  async #discover(): Promise<void> {
    const { client, streamArn } = this.#settings;
    const { signal } = this.#closing;
    const shards = await listShards(client, streamArn, signal);
    this.#checkpoints.keepOnly(new Set(shards.map(({ shardId }) => shardId)));
    for (const { shardId } of shards) {
      if (this.#checkpoints.get(shardId)?.ended === true) this.#ended.add(shardId);
    }
    const startsLatest =
      this.#initial && !this.#checkpoints.resumed && this.#settings.startingPosition === 'LATEST';
    if (startsLatest) for (const shard of shards) if (shard.closed) this.#ended.add(shard.shardId);
    for (const shard of readyShards(shards, this.#started, this.#ended)) {
      const reader = new ShardReader(client, streamArn, shard.shardId, this.#position(shard, startsLatest));
      await reader.open(signal);
      if (!signal.aborted) this.#work(shard.shardId, reader);
    }
  }

  #position({ shardId }: StreamShard, startsLatest: boolean): ShardPosition {
    const sequenceNumber = this.#checkpoints.get(shardId)?.sequenceNumber;
    if (sequenceNumber !== undefined) return { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber };
    return { type: startsLatest ? 'LATEST' : 'TRIM_HORIZON' };
  }

  #work(shardId: string, reader: ShardReader): void {
    const { eventSourceArn = this.#settings.streamArn, target, log } = this.#settings;
    const { signal } = this.#closing;
    const worker = new ShardWorker({
      clock: this.#clock,
      shardId,
      reader,
      source: { eventSourceArn, region: REGION },
      matches: this.#matches,
      batchSize: this.#settings.batchSize ?? 100,
      maximumBatchingWindowInSeconds: this.#settings.maximumBatchingWindowInSeconds ?? 0,
      parallelizationFactor: this.#settings.parallelizationFactor ?? 1,
      checkpoints: this.#checkpoints,
      log,
      signal,
      deliver: (batch, onSettled) =>
        deliverBatch(batch, {
          target,
          clock: this.#clock,
          reportBatchItemFailures: this.#settings.reportBatchItemFailures ?? false,
          bisectBatchOnFunctionError: this.#settings.bisectBatchOnFunctionError ?? false,
          maximumRetryAttempts: this.#settings.maximumRetryAttempts ?? -1,
          maximumRecordAgeInSeconds: this.#settings.maximumRecordAgeInSeconds ?? -1,
          onSettled,
          onDiscarded: (discarded) => this.#sendToDestination(discarded, eventSourceArn),
          log,
          signal,
        }),
    });
    this.#started.add(shardId);
    this.#workers.set(shardId, worker);
    const running = worker.run().then((ended) => {
      this.#running.delete(running);
      if (!ended) return;
      this.#workers.delete(shardId);
      this.#ended.add(shardId);
      this.#discoverSoon();
    });
    this.#running.add(running);
  }

  #scheduleDiscovery(): void {
    if (this.#closing.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.schedule(DISCOVERY_MS, () => this.#discoverSoon());
  }

  /** One discovery at a time; what happens during one leads to one more. */
  #discoverSoon(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#discovering !== undefined) {
      this.#discoverAgain = true;
      return;
    }
    this.#discovering = this.#discover()
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted)
          this.#settings.log(`Cannot list the shards of a stream: ${String(error)}`);
      })
      .then(() => {
        this.#discovering = undefined;
        const again = this.#discoverAgain;
        this.#discoverAgain = false;
        if (again) this.#discoverSoon();
        else this.#scheduleDiscovery();
      });
  }

  async #sendToDestination(batch: DiscardedBatch, streamArn: string): Promise<boolean> {
    const { sendToDestination, target, log } = this.#settings;
    const count = `${batch.records.length} record${batch.records.length === 1 ? '' : 's'}`;
    log(`${target.name}: gave up on ${count} of the stream (${batch.condition})`);
    if (sendToDestination === undefined) return true;
    const payload = destinationPayload(batch, { functionArn: target.arn, streamArn }, this.#clock.now());
    for (let attempt = 1; ; attempt += 1) {
      try {
        await sendToDestination(JSON.stringify(payload));
        return true;
      } catch (error) {
        if (this.#closing.signal.aborted) return false;
        if (attempt === DESTINATION_TRIES) {
          log(
            `${target.name}: the on-failure destination did not take ${JSON.stringify(payload)}: ${String(error)}`,
          );
          return true;
        }
        await pause(this.#clock, backOffMs(attempt), this.#closing.signal);
      }
    }
  }
}
