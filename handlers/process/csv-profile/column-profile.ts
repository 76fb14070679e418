import { ColumnStatistics } from './column-statistics.ts';
import type { ColumnSummary, FrequentValue, FrequentValues } from './csv-profile-document.ts';
import { DistinctEstimate } from './distinct-estimate.ts';
import { FrequentEstimate } from './frequent-estimate.ts';
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

/**
 * Everything that is known of one column. Counts exactly while there are few different values, which costs one
 * look-up a value; beyond that, estimates in fixed memory.
 */
export class ColumnProfile {
  readonly #exactValues: number;
  readonly #statistics = new ColumnStatistics();
  #counted = new Map<string, Counted>();
  #sketch: Sketch | undefined;
  #empty = 0;

  /** `exactValues` as `exactValuesFor` says. */
  constructor(exactValues: number) {
    this.#exactValues = exactValues;
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
      frequent: new FrequentEstimate(Math.min(WATCHED, this.#exactValues)),
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

function quoted(key: string): { readonly value: string; readonly cut?: true } {
  const value = textOf(key);
  return value.length === key.length ? { value } : { value, cut: true };
}

function isBlank(value: string): boolean {
  return value.length === 0 || (value.charCodeAt(0) <= 32 && value.trim() === '');
}
