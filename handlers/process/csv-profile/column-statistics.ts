import type { ColumnType, ValueType } from './csv-profile-document.ts';
import { beginningOf, ownText, QUOTED_CHARACTERS } from './quoted-text.ts';
import { instantOf, typeOf } from './value-type.ts';

interface Extremes<Value> {
  readonly least: Value;
  readonly greatest: Value;
}

/** A date as it was written, and where it stands in time: see `instantOf`. */
interface Instant {
  readonly at: number;
  readonly text: string;
}

/** All that statistics are. */
export interface StatisticsState {
  /** How many values are of each type, in the order in which the types were met. */
  readonly types: readonly (readonly [ValueType, number])[];
  readonly longest: number;
  /** Neumaier's sum and what it has lost; either may have left the range of numbers. */
  readonly sum: number;
  readonly compensation: number;
  readonly numbers?: Extremes<number> | undefined;
  readonly times?: Extremes<Instant> | undefined;
  readonly texts?: Extremes<string> | undefined;
}

/**
 * Count, type, least, greatest and mean of a column's values that are not empty. Each kind of extreme is kept
 * beside the others, since which one counts is known only with the last value.
 */
export class ColumnStatistics {
  readonly #types: Map<ValueType, number>;
  #longest: number;
  #sum: number;
  #compensation: number;
  #numbers: Extremes<number> | undefined;
  #times: Extremes<Instant> | undefined;
  #texts: Extremes<string> | undefined;

  /** May go on from a state. */
  constructor(state: StatisticsState = { types: [], longest: 0, sum: 0, compensation: 0 }) {
    this.#types = new Map(state.types);
    this.#longest = state.longest;
    this.#sum = state.sum;
    this.#compensation = state.compensation;
    this.#numbers = state.numbers;
    this.#times = state.times;
    this.#texts = state.texts;
  }

  /** See `StatisticsState`. */
  get state(): StatisticsState {
    return {
      types: [...this.#types],
      longest: this.#longest,
      sum: this.#sum,
      compensation: this.#compensation,
      numbers: this.#numbers,
      times: this.#times,
      texts: this.#texts,
    };
  }

  /** Counts all that other statistics have counted, as what came behind. */
  merge(other: ColumnStatistics): void {
    for (const [type, count] of other.#types) this.#types.set(type, (this.#types.get(type) ?? 0) + count);
    this.#longest = Math.max(this.#longest, other.#longest);
    this.#addTerm(other.#sum);
    this.#compensation += other.#compensation;
    this.#numbers = merged(this.#numbers, other.#numbers, (one, another) => one < another);
    this.#times = merged(this.#times, other.#times, (one, another) => one.at < another.at);
    this.#texts = merged(this.#texts, other.#texts, (one, another) => one < another);
  }

  /** Counts a value `times`; `length` is that of the whole value where `value` is only its beginning. */
  add(value: string, times: number, length = value.length): void {
    const trimmed = trim(value);
    const type = typeOf(trimmed);
    this.#types.set(type, (this.#types.get(type) ?? 0) + times);
    if (length > this.#longest) this.#longest = length;
    if (type === 'integer' || type === 'number') this.#addNumber(Number(trimmed), times);
    else if (type === 'date' || type === 'datetime') this.#addTime(trimmed);
    this.#addText(beginningOf(value, QUOTED_CHARACTERS));
  }

  /** How many values there were. */
  get count(): number {
    return [...this.#types.values()].reduce((sum, count) => sum + count, 0);
  }

  /** See `ColumnSummary.types`. */
  get types(): Readonly<Partial<Record<ValueType, number>>> {
    return Object.fromEntries(this.#types);
  }

  /** See `ColumnType`. */
  get type(): ColumnType {
    const types = [...this.#types.keys()];
    const [first, ...others] = types;
    if (first === undefined) return 'empty';
    if (others.length === 0) return first;
    if (types.every((type) => type === 'integer' || type === 'number')) return 'number';
    if (types.every((type) => type === 'date' || type === 'datetime')) return 'datetime';
    return 'text';
  }

  /** The length of the longest value, in UTF-16 code units. */
  get longest(): number {
    return this.#longest;
  }

  /** Least and greatest by the column's type, and the mean of a numeric column. */
  get figures(): { readonly min?: number | string; readonly max?: number | string; readonly mean?: number } {
    switch (this.type) {
      case 'empty':
        return {};
      case 'integer':
      case 'number':
        if (this.#numbers === undefined) return {};
        return {
          min: this.#numbers.least,
          max: this.#numbers.greatest,
          ...finiteMean((this.#sum + this.#compensation) / this.count),
        };
      case 'date':
      case 'datetime':
        if (this.#times === undefined) return {};
        return { min: this.#times.least.text, max: this.#times.greatest.text };
      default:
        if (this.#texts === undefined) return {};
        return { min: this.#texts.least, max: this.#texts.greatest };
    }
  }

  #addNumber(value: number, times: number): void {
    this.#addTerm(value * times);
    if (this.#numbers === undefined) this.#numbers = { least: value, greatest: value };
    else if (value < this.#numbers.least) this.#numbers = { ...this.#numbers, least: value };
    else if (value > this.#numbers.greatest) this.#numbers = { ...this.#numbers, greatest: value };
  }

  /** Neumaier's sum: the mean of millions of values is right to the last digits. */
  #addTerm(term: number): void {
    const sum = this.#sum + term;
    this.#compensation +=
      Math.abs(this.#sum) >= Math.abs(term) ? this.#sum - sum + term : term - sum + this.#sum;
    this.#sum = sum;
  }

  #addTime(value: string): void {
    const at = instantOf(value);
    if (Number.isNaN(at)) return; // no such day: counts, but has no place in the order
    const times = this.#times;
    if (times === undefined) {
      const only = { at, text: ownText(value) };
      this.#times = { least: only, greatest: only };
    } else if (at < times.least.at) this.#times = { ...times, least: { at, text: ownText(value) } };
    else if (at > times.greatest.at) this.#times = { ...times, greatest: { at, text: ownText(value) } };
  }

  #addText(value: string): void {
    if (this.#texts === undefined) {
      const only = ownText(value);
      this.#texts = { least: only, greatest: only };
    } else if (value < this.#texts.least) this.#texts = { ...this.#texts, least: ownText(value) };
    else if (value > this.#texts.greatest) this.#texts = { ...this.#texts, greatest: ownText(value) };
  }
}

/** The extremes of both; of two equal ones, those that came first. */
function merged<Value>(
  first: Extremes<Value> | undefined,
  second: Extremes<Value> | undefined,
  isLess: (one: Value, another: Value) => boolean,
): Extremes<Value> | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    least: isLess(second.least, first.least) ? second.least : first.least,
    greatest: isLess(first.greatest, second.greatest) ? second.greatest : first.greatest,
  };
}

/** Sums can leave the range of numbers where no value does. */
function finiteMean(mean: number): { readonly mean?: number } {
  return Number.isFinite(mean) ? { mean } : {};
}

const BLANK = 32;

function trim(value: string): string {
  return value.charCodeAt(0) <= BLANK || value.charCodeAt(value.length - 1) <= BLANK ? value.trim() : value;
}
