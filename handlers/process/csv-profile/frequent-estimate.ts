import { hashOf } from './text-hash.ts';

/** Cells that count what is not watched, a column. A power of two. */
export const CELLS = 1024;

/** A value that is being watched. `atMost - atLeast` is what it may owe to others. */
export interface WatchedValue {
  readonly key: string;
  readonly atLeast: number;
  readonly atMost: number;
}

/** All that an estimate is, beside its capacity. */
export interface FrequentState {
  /** For each of the `CELLS` cells, the most that any value in it which is not watched can have. */
  readonly cells: Uint32Array;
  /** In the order in which they are held. */
  readonly watched: readonly WatchedValue[];
}

/**
 * The most frequent of many values in fixed memory: Filtered Space-Saving (Homem, Carvalho: "Finding top-k
 * elements in data streams", 2010). A value is watched once the cell that it falls into may have counted it
 * as often as the least watched one; so a stream of ever new values hardly disturbs the watched ones. Why not
 * from a library: docs/decisions/0010-sketches.md.
 */
export class FrequentEstimate {
  #cells: Uint32Array = new Uint32Array(CELLS);
  readonly #positions = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #hashes: number[] = [];
  readonly #counts: number[] = [];
  readonly #errors: number[] = [];
  readonly #capacity: number;
  #least = 0;
  #hand = 0;

  /** `capacity` is the number of values watched at a time. May go on from a state, whose cells it takes. */
  constructor(capacity: number, state?: FrequentState) {
    this.#capacity = capacity;
    if (state === undefined) return;
    if (state.cells.length !== CELLS) throw new RangeError(`there are ${CELLS} cells`);
    this.#restore(state);
  }

  /** See `FrequentState`. */
  get state(): FrequentState {
    return { cells: this.#cells, watched: this.#held };
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
    const left = (this.#hashes[least] ?? 0) & (CELLS - 1);
    this.#cells[left] = Math.max(this.#cells[left] ?? 0, this.#least);
    this.#put(least, copy(), hash, counted + 1, counted);
  }

  /** What is watched, most certain first. */
  get watched(): readonly WatchedValue[] {
    return this.#held.sort((one, other) => other.atLeast - one.atLeast || (one.key < other.key ? -1 : 1));
  }

  /**
   * Counts all that another estimate of the same capacity has counted, after the merge of Space-Saving (Agarwal and
   * others, "Mergeable summaries", 2012), with a cell where that takes the least count. The bounds of a value add up:
   * those it is watched with, or from none to what its cell holds. Those that may be the most frequent are watched on;
   * each other one leaves its upper bound in its cell. A cell holds less than its estimate has counted, divided by the
   * capacity, so that sums fit in 32 bits for any file that can be read in the time of a job.
   */
  merge(other: FrequentEstimate): void {
    const sums = [
      ...this.#keys.map((key, position) => this.#sumOf(key, this.#hashes[position] ?? 0, other)),
      ...other.#keys
        .map((key, position) => ({ key, hash: other.#hashes[position] ?? 0 }))
        .filter(({ key }) => !this.#positions.has(key))
        .map(({ key, hash }) => this.#sumOf(key, hash, other)),
    ].sort(
      (one, another) =>
        another.atMost - one.atMost || another.atLeast - one.atLeast || (one.key < another.key ? -1 : 1),
    );
    const cells = this.#cells.map((count, cell) => count + (other.#cells[cell] ?? 0));
    for (const { hash, atMost } of sums.slice(this.#capacity)) {
      const cell = hash & (CELLS - 1);
      cells[cell] = Math.max(cells[cell] ?? 0, atMost);
    }
    this.#restore({ cells, watched: sums.slice(0, this.#capacity) });
  }

  #sumOf(key: string, hash: number, other: FrequentEstimate): WatchedValue & { readonly hash: number } {
    const ours = this.#boundsOf(key, hash);
    const theirs = other.#boundsOf(key, hash);
    return {
      key,
      hash,
      atLeast: ours.atLeast + theirs.atLeast,
      atMost: ours.atMost + theirs.atMost,
    };
  }

  #boundsOf(key: string, hash: number): { readonly atLeast: number; readonly atMost: number } {
    const position = this.#positions.get(key);
    if (position === undefined) return { atLeast: 0, atMost: this.#cells[hash & (CELLS - 1)] ?? 0 };
    const atMost = this.#counts[position] ?? 0;
    return { atLeast: atMost - (this.#errors[position] ?? 0), atMost };
  }

  get #held(): WatchedValue[] {
    return this.#keys.map((key, position) => {
      const atMost = this.#counts[position] ?? 0;
      return { key, atLeast: atMost - (this.#errors[position] ?? 0), atMost };
    });
  }

  #restore({ cells, watched }: FrequentState): void {
    this.#cells = cells;
    this.#positions.clear();
    this.#keys.length = 0;
    for (const { key, atLeast, atMost } of watched.slice(0, this.#capacity)) {
      this.#put(this.#keys.length, key, hashOf(key), atMost, atMost - atLeast);
    }
    this.#least = 0;
    this.#hand = 0;
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
