import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '../clock.ts';

/**
 * Checkpoints are written at most this often, in milliseconds; a restart after a crash repeats what came after. Each
 * time everything waits for the disk, for tens of milliseconds where others use it too.
 */
const WRITE_DELAY_MS = 1_000;

/** How far one shard was worked off. */
export interface ShardCheckpoint {
  /** The last record before which everything is settled; absent when none is. */
  readonly sequenceNumber?: string;
  /** The shard was closed by DynamoDB and is worked off. */
  readonly ended?: boolean;
}

/**
 * The checkpoints of one mapping, in a small JSON file so that a restart goes on where it stopped; without
 * a file name in memory. Losing the file only means that records are delivered again, which Lambda may do too.
 */
export class CheckpointFile {
  readonly #file: string | undefined;
  readonly #streamArn: string;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #shards: Map<string, ShardCheckpoint>;
  /** Whether an earlier run of this mapping left checkpoints for this stream. */
  readonly resumed: boolean;
  #timer: Timer | undefined;

  constructor(file: string | undefined, streamArn: string, clock: Clock, log: (line: string) => void) {
    this.#file = file;
    this.#streamArn = streamArn;
    this.#clock = clock;
    this.#log = log;
    const stored = file === undefined ? undefined : this.#load(file);
    this.resumed = stored !== undefined;
    this.#shards = stored ?? new Map();
  }

  get(shardId: string): ShardCheckpoint | undefined {
    return this.#shards.get(shardId);
  }

  set(shardId: string, checkpoint: ShardCheckpoint): void {
    this.#shards.set(shardId, checkpoint);
    if (this.#file === undefined) return;
    this.#timer ??= this.#clock.schedule(WRITE_DELAY_MS, () => this.flush());
  }

  /** Forgets shards that the stream does not have any more. */
  keepOnly(shardIds: ReadonlySet<string>): void {
    for (const shardId of this.#shards.keys()) if (!shardIds.has(shardId)) this.#shards.delete(shardId);
  }

  /** Writes what was not written yet. A file that cannot be written is reported, not fatal. */
  flush(): void {
    const pending = this.#timer !== undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!pending || this.#file === undefined) return;
    const text = JSON.stringify({ streamArn: this.#streamArn, shards: Object.fromEntries(this.#shards) });
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      // Whole or not at all: a half-written file would be lost progress.
      writeFileSync(`${this.#file}.new`, text);
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log(`Cannot write the stream checkpoints ${this.#file}: ${String(error)}`);
    }
  }

  #load(file: string): Map<string, ShardCheckpoint> | undefined {
    let stored: unknown;
    try {
      stored = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing)
        this.#log(`Cannot read the stream checkpoints ${file}, starting anew: ${String(error)}`);
      return undefined;
    }
    if (!isStored(stored) || stored.streamArn !== this.#streamArn) return undefined;
    return new Map(Object.entries(stored.shards));
  }
}

interface Stored {
  readonly streamArn: string;
  readonly shards: Readonly<Record<string, ShardCheckpoint>>;
}

function isStored(value: unknown): value is Stored {
  return (
    typeof value === 'object' &&
    value !== null &&
    'streamArn' in value &&
    'shards' in value &&
    typeof value.shards === 'object' &&
    value.shards !== null
  );
}
