import type { Clock, Timer } from '../clock.ts';
import type { StreamRecord } from './stream-record.ts';

/** A batch is at most what one synchronous invocation can carry, in bytes (aws-facts 3.3 and 6). */
const BATCH_BYTES = 6 * 1024 * 1024;
/** Room for the envelope `{"Records":[]}` and the commas, in bytes. */
const ENVELOPE_BYTES = 12_000;

/** How a lane makes batches. */
export interface LaneSettings {
  readonly clock: Clock;
  readonly batchSize: number;
  readonly maximumBatchingWindowInSeconds: number;
  /** Settles every record of the batch, or leaves them unsettled because the mapping closes. */
  readonly deliver: (batch: readonly StreamRecord[]) => Promise<void>;
}

/**
 * A queue of records of which one batch at a time is delivered: a whole shard, or with
 * `ParallelizationFactor` the share of a shard to which an item's records always go. A batch leaves when it
 * is full, when the batching window that began with its first record is over, or at once without a window.
 */
export class Lane {
  readonly #settings: LaneSettings;
  readonly #buffer: { readonly record: StreamRecord; readonly bytes: number }[] = [];
  #bufferedBytes = 0;
  #window: Timer | undefined;
  #windowOver = false;
  #delivering: Promise<void> | undefined;
  #closed = false;

  constructor(settings: LaneSettings) {
    this.#settings = settings;
  }

  push(record: StreamRecord): void {
    const bytes = Buffer.byteLength(JSON.stringify(record.event));
    this.#buffer.push({ record, bytes });
    this.#bufferedBytes += bytes;
  }

  /** Sends what is due. Call it after a series of `push`, so that a page of records becomes one batch. */
  flush(): void {
    if (this.#closed || this.#delivering !== undefined || this.#buffer.length === 0) return;
    const windowMs = this.#settings.maximumBatchingWindowInSeconds * 1000;
    if (windowMs > 0 && !this.#windowOver && !this.#isFull()) {
      this.#window ??= this.#settings.clock.schedule(windowMs, () => {
        this.#windowOver = true;
        this.flush();
      });
      return;
    }
    this.#window?.cancel();
    this.#window = undefined;
    this.#windowOver = false;
    this.#delivering = this.#settings.deliver(this.#take()).finally(() => {
      this.#delivering = undefined;
      this.flush();
    });
  }

  /** Forgets what is buffered and waits for the batch under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#window?.cancel();
    this.#buffer.length = 0;
    await this.#delivering;
  }

  #isFull(): boolean {
    return (
      this.#buffer.length >= this.#settings.batchSize || this.#bufferedBytes + ENVELOPE_BYTES >= BATCH_BYTES
    );
  }

  #take(): StreamRecord[] {
    let bytes = ENVELOPE_BYTES;
    let count = 0;
    for (const entry of this.#buffer) {
      bytes += entry.bytes;
      // One record always goes: DynamoDB items are at most 400 KB.
      if (count === this.#settings.batchSize || (count > 0 && bytes > BATCH_BYTES)) break;
      count += 1;
    }
    const taken = this.#buffer.splice(0, count);
    for (const entry of taken) this.#bufferedBytes -= entry.bytes;
    return taken.map(({ record }) => record);
  }
}

/**
 * Which of `laneCount` lanes the records of an item go to: a hash of its key, so that one item's records
 * keep their order (FNV-1a; which hash Lambda uses is not documented).
 */
export function laneOf(record: StreamRecord, laneCount: number): number {
  if (laneCount === 1) return 0;
  const keys = Object.entries(record.event.dynamodb.Keys).sort(([a], [b]) => (a < b ? -1 : 1));
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(keys))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % laneCount;
}
