/** Cells that count what is not watched, a column. A power of two. */
const CELLS = 1024;

/** A value that is being watched. `atMost - atLeast` is what it may owe to others. */
export interface WatchedValue {
  readonly key: string;
  readonly atLeast: number;
  readonly atMost: number;
}

/**
 * The most frequent of many values in fixed memory: Filtered Space-Saving (Homem, Carvalho: "Finding top-k
 * elements in data streams", 2010). A value is watched once the cell that it falls into may have counted it
 * as often as the least watched one; so a stream of ever new values hardly disturbs the watched ones. Why not
 * from a library: docs/decisions/0010-sketches.md.
 */
export class FrequentEstimate {
  readonly #cells = new Uint32Array(CELLS);
  readonly #positions = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #hashes: number[] = [];
  readonly #counts: number[] = [];
  readonly #errors: number[] = [];
  readonly #capacity: number;
  #least = 0;
  #hand = 0;

  /** `capacity` is the number of values watched at a time. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Begins with values that have been counted exactly, most frequent first. Those that are too many to watch
   * leave the largest count in their cell: a cell is the most that any unwatched value in it can have.
   */
  seed(key: string, hash: number, times: number): void {
    const cell = hash & (CELLS - 1);
    if (this.#keys.length < this.#capacity) this.#put(this.#keys.length, key, hash, times, 0);
    else this.#cells[cell] = Math.max(this.#cells[cell] ?? 0, times);
  }

  /** Counts a value once if it is watched. */
  addWatched(key: string): boolean {
    const position = this.#positions.get(key);
    if (position === undefined) return false;
    this.#counts[position] = (this.#counts[position] ?? 0) + 1;
    return true;
  }

  /** Counts a value that is not watched; it may become so, by a copy of its own that `copy` makes. */
  addUnwatched(hash: number, copy: () => string): void {
    const cell = hash & (CELLS - 1);
    const counted = this.#cells[cell] ?? 0;
    if (this.#keys.length < this.#capacity) {
      this.#put(this.#keys.length, copy(), hash, counted + 1, counted);
      return;
    }
    const least = this.#leastPosition();
    if (counted + 1 < this.#least) {
      this.#cells[cell] = counted + 1;
      return;
    }
    this.#positions.delete(this.#keys[least] ?? '');
    this.#cells[(this.#hashes[least] ?? 0) & (CELLS - 1)] = this.#least;
    this.#put(least, copy(), hash, counted + 1, counted);
  }

  /** What is watched, most certain first. */
  get watched(): readonly WatchedValue[] {
    return this.#keys
      .map((key, position) => {
        const atMost = this.#counts[position] ?? 0;
        return { key, atLeast: atMost - (this.#errors[position] ?? 0), atMost };
      })
      .sort((one, other) => other.atLeast - one.atLeast || (one.key < other.key ? -1 : 1));
  }

  #put(position: number, key: string, hash: number, count: number, error: number): void {
    this.#positions.set(key, position);
    this.#keys[position] = key;
    this.#hashes[position] = hash;
    this.#counts[position] = count;
    this.#errors[position] = error;
  }

  /** Goes round like a clock's hand: counts only grow, so a full round without the least means a larger least. */
  #leastPosition(): number {
    for (let steps = 0; steps < this.#capacity; steps += 1) {
      const position = this.#hand;
      if ((this.#counts[position] ?? 0) <= this.#least) return position;
      this.#hand = (this.#hand + 1) % this.#capacity;
    }
    this.#least = this.#counts.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY);
    return this.#leastPosition();
  }
}
