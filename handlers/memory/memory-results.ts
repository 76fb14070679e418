import type { JobRecord, Results } from '../ports.ts';

/** A result that has been written. */
export interface WrittenResult {
  readonly body: Uint8Array;
  readonly contentType: string;
}

/** `Results` in memory. */
export class MemoryResults implements Results {
  readonly #results = new Map<string, WrittenResult>();

  /** The result of a job; undefined where none has been written. */
  resultOf(record: JobRecord): WrittenResult | undefined {
    return this.#results.get(keyOf(record));
  }

  async write(record: JobRecord, body: Uint8Array, contentType: string): Promise<void> {
    this.#results.set(keyOf(record), { body: Uint8Array.from(body), contentType });
  }

  async link(record: JobRecord, seconds: number): Promise<string> {
    return `https://results.invalid/${keyOf(record)}?seconds=${seconds}`;
  }
}

function keyOf(record: JobRecord): string {
  return `results/${record.job.id}/${record.job.epoch}`;
}
