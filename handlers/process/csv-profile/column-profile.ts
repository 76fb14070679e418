import { ColumnStatistics, type StatisticsState } from './column-statistics.ts';
import type { ColumnSummary, FrequentValue, FrequentValues } from './csv-profile-document.ts';
import { DistinctEstimate } from './distinct-estimate.ts';
import { FrequentEstimate, type FrequentState } from './frequent-estimate.ts';
import { beginningOf, ownText, QUOTED_CHARACTERS } from './quoted-text.ts';
import { hashOf } from './text-hash.ts';

/** How many frequent values a profile lists. */
const LISTED = 10;

/** The most values that are watched at a time by the estimate of the most frequent ones, a column. */
const WATCHED = 500;

/** What all columns together may count exactly, in different values: at some 200 bytes each, 20 MB. */
const EXACT_VALUES_IN_ALL = 100_000;
const EXACT_VALUES_AT_LEAST = 50;
const EXACT_VALUES_AT_MOST = 5_000;

/** How many different values a column may count exactly, so that any number of columns fits in memory. */
export function exactValuesFor(columns: number): number {
  const share = Math.floor(EXACT_VALUES_IN_ALL / Math.max(1, columns));
  return Math.min(EXACT_VALUES_AT_MOST, Math.max(EXACT_VALUES_AT_LEAST, share));
}

function watchedFor(exactValues: number): number {
  return Math.min(WATCHED, exactValues);
}

/** Stands between the beginning of a long value and its hash in a key; no CSV value has it (NUL is refused). */
const CUT = '\u0000';

interface Counted {
  count: number;
  /** Of the whole value. */
  readonly length: number;
}

interface Sketch {
  readonly distinct: DistinctEstimate;
  readonly frequent: FrequentEstimate;
}

/** All that is known of a column, while it is counted exactly or once it is estimated. */
export type ColumnState = ExactColumnState | EstimatedColumnState;

/** `counted` has each different value's key and count, in the order in which they were met. */
export interface ExactColumnState {
  readonly empty: number;
  readonly counted: readonly (readonly [string, number])[];
}

/** `registers` are those of `DistinctEstimate`. */
export interface EstimatedColumnState {
  readonly empty: number;
  readonly statistics: StatisticsState;
  readonly registers: Uint8Array;
  readonly frequent: FrequentState;
}

/**
 * Everything that is known of one column. Counts exactly while there are few different values, which costs one
 * look-up a value; beyond that, estimates in fixed memory.
 */
export class ColumnProfile {
  readonly #exactValues: number;
  readonly #statistics: ColumnStatistics;
  #counted: Map<string, Counted>;
  #sketch: Sketch | undefined;
  #empty: number;

  /** `exactValues` as `exactValuesFor` says. May go on from a state, whose arrays it takes for its own. */
  constructor(exactValues: number, state: ColumnState = { empty: 0, counted: [] }) {
    this.#exactValues = exactValues;
    this.#empty = state.empty;
    const isExact = 'counted' in state;
    this.#counted = new Map(
      (isExact ? state.counted : []).map(([key, count]) => [key, { count, length: lengthOf(key) }]),
    );
    this.#statistics = new ColumnStatistics(isExact ? undefined : state.statistics);
    if (isExact) return;
    this.#sketch = {
      distinct: new DistinctEstimate(state.registers),
      frequent: new FrequentEstimate(watchedFor(exactValues), state.frequent),
    };
  }

  /** See `ColumnState`. */
  get state(): ColumnState {
    const empty = this.#empty;
    if (this.#sketch === undefined) {
      return { empty, counted: [...this.#counted].map(([key, { count }]) => [key, count]) };
    }
    const { distinct, frequent } = this.#sketch;
    const { state: statistics } = this.#statistics;
    return { empty, statistics, registers: distinct.registers, frequent: frequent.state };
  }

  /**
   * Counts all that the same column has in the rows behind. What comes of it depends on the two states alone. The
   * other one is used up.
   */
  merge(behind: ColumnProfile): void {
    this.#empty += behind.#empty;
    if (this.#sketch === undefined && behind.#sketch === undefined) {
      for (const [key, { count, length }] of behind.#counted) {
        const counted = this.#counted.get(key);
        if (counted === undefined) this.#counted.set(key, { count, length });
        else counted.count += count;
      }
      if (this.#counted.size > this.#exactValues) this.#sketch = this.#startSketch();
      return;
    }
    this.#sketch ??= this.#startSketch();
    const sketch = behind.#sketch ?? behind.#startSketch();
    this.#sketch.distinct.merge(sketch.distinct);
    this.#sketch.frequent.merge(sketch.frequent);
    this.#statistics.merge(behind.#statistics);
  }

  /** Counts the value of one row. */
  add(value: string): void {
    if (isBlank(value)) {
      this.#empty += 1;
      return;
    }
    const key = keyOf(value);
    if (this.#sketch !== undefined) {
      this.#addToSketch(this.#sketch, key, value);
      return;
    }
    const counted = this.#counted.get(key);
    if (counted !== undefined) counted.count += 1;
    else if (this.#counted.size < this.#exactValues) {
      this.#counted.set(ownText(key), { count: 1, length: value.length });
    } else {
      this.#sketch = this.#startSketch();
      this.#addToSketch(this.#sketch, key, value);
    }
  }

  /** The figures under a name; afterwards the column takes no more values. */
  summarize(name: string): ColumnSummary {
    const distinct = this.#sketch?.distinct.value;
    const frequent = this.#sketch === undefined ? this.#exactFrequent() : estimatedFrequent(this.#sketch);
    const exactDistinct = this.#counted.size;
    if (this.#sketch === undefined) this.#moveToStatistics();
    const { type, types, count, longest, figures } = this.#statistics;
    return {
      name,
      type,
      types,
      count,
      empty: this.#empty,
      distinct:
        distinct === undefined
          ? { value: exactDistinct, exact: true }
          : { value: Math.min(distinct, count), exact: false },
      ...figures,
      longest,
      frequent,
    };
  }

  #addToSketch(sketch: Sketch, key: string, value: string): void {
    const hash = hashOf(key);
    sketch.distinct.add(hash);
    if (!sketch.frequent.addWatched(key)) sketch.frequent.addUnwatched(hash, () => ownText(key));
    this.#statistics.add(value, 1);
  }

  #startSketch(): Sketch {
    const sketch = {
      distinct: new DistinctEstimate(),
      frequent: new FrequentEstimate(watchedFor(this.#exactValues)),
    };
    for (const [key, { count }] of this.#mostFrequentFirst()) {
      const hash = hashOf(key);
      sketch.distinct.add(hash);
      sketch.frequent.seed(key, hash, count);
    }
    this.#moveToStatistics();
    return sketch;
  }

  #moveToStatistics(): void {
    for (const [key, { count, length }] of this.#counted) this.#statistics.add(textOf(key), count, length);
    this.#counted = new Map();
  }

  #mostFrequentFirst(): readonly (readonly [string, Counted])[] {
    return [...this.#counted].sort(
      ([oneKey, one], [otherKey, other]) => other.count - one.count || (oneKey < otherKey ? -1 : 1),
    );
  }

  #exactFrequent(): FrequentValues {
    const values = this.#mostFrequentFirst()
      .slice(0, LISTED)
      .map(([key, { count }]): FrequentValue => ({ ...quoted(key), count }));
    return { exact: true, values };
  }
}

/** What surely occurs more than once; in a column of ever new values there may be nothing to list. */
function estimatedFrequent({ frequent }: Sketch): FrequentValues {
  const values = frequent.watched
    .filter(({ atLeast }) => atLeast > 1)
    .slice(0, LISTED)
    .map(
      ({ key, atLeast, atMost }): FrequentValue => ({
        ...quoted(key),
        count: atLeast,
        ...(atMost === atLeast ? {} : { atMost }),
      }),
    );
  return { exact: false, values };
}

/** Long values are told apart by their beginning, length and hash, so that a column of essays fits in memory. */
function keyOf(value: string): string {
  if (value.length <= QUOTED_CHARACTERS) return value;
  return `${beginningOf(value, QUOTED_CHARACTERS)}${CUT}${value.length}.${hashOf(value)}`;
}

function textOf(key: string): string {
  const cut = key.indexOf(CUT);
  return cut === -1 ? key : key.slice(0, cut);
}

/** The length of the whole value. */
function lengthOf(key: string): number {
  const cut = key.indexOf(CUT);
  return cut === -1 ? key.length : Number.parseInt(key.slice(cut + 1), 10);
}

function quoted(key: string): { readonly value: string; readonly cut?: true } {
  const value = textOf(key);
  return value.length === key.length ? { value } : { value, cut: true };
}

function isBlank(value: string): boolean {
  return value.length === 0 || (value.charCodeAt(0) <= 32 && value.trim() === '');
}
