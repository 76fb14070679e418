/**
 * How far a shard has been worked off. Records are settled in any order (several lanes), the checkpoint is
 * the last record before which nothing is open: after a restart everything later is read again.
 */
export class ShardProgress {
  /** In the order of the shard. */
  readonly #open: { readonly sequenceNumber: string; settled: boolean }[] = [];
  readonly #entries = new Map<string, { readonly sequenceNumber: string; settled: boolean }>();
  readonly #onCheckpoint: (sequenceNumber: string) => void;
  readonly #waiting: { readonly below: number; readonly resolve: () => void }[] = [];

  constructor(onCheckpoint: (sequenceNumber: string) => void) {
    this.#onCheckpoint = onCheckpoint;
  }

  /** A record was read. Call it in the order of the shard. */
  read(sequenceNumber: string): void {
    const entry = { sequenceNumber, settled: false };
    this.#open.push(entry);
    this.#entries.set(sequenceNumber, entry);
  }

  /** A record was delivered, discarded, or filtered out. */
  settle(sequenceNumber: string): void {
    const entry = this.#entries.get(sequenceNumber);
    if (entry === undefined) return;
    entry.settled = true;
    this.#entries.delete(sequenceNumber);
    let count = 0;
    while (this.#open[count]?.settled === true) count += 1;
    const checkpoint = this.#open.splice(0, count).at(-1);
    if (checkpoint !== undefined) this.#onCheckpoint(checkpoint.sequenceNumber);
    this.#release();
  }

  /** Resolves when fewer than `count` records are neither delivered nor discarded. */
  fewerThan(count: number): Promise<void> {
    if (this.#entries.size < count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ below: count, resolve }));
  }

  /** Lets go of everybody who waits: the mapping closes. */
  close(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #release(): void {
    for (const waiter of this.#waiting.splice(0)) {
      if (this.#entries.size < waiter.below) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }
}
