import type { ColumnType, ValueType } from './csv-profile-document.ts';
import { beginningOf, ownText, QUOTED_CHARACTERS } from './quoted-text.ts';
import { instantOf, typeOf } from './value-type.ts';

interface Extremes<Value> {
  readonly least: Value;
  readonly greatest: Value;
}

interface TimeExtremes {
  least: { readonly at: number; readonly text: string };
  greatest: { readonly at: number; readonly text: string };
}

/**
 * Count, type, least, greatest and mean of a column's values that are not empty. Each kind of extreme is kept
 * beside the others, since which one counts is known only with the last value.
 */
export class ColumnStatistics {
  readonly #types = new Map<ValueType, number>();
  #longest = 0;
  #sum = 0;
  #compensation = 0;
  #numbers: Extremes<number> | undefined;
  #times: TimeExtremes | undefined;
  #texts: Extremes<string> | undefined;

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

  /** Neumaier's sum: the mean of millions of values is right to the last digits. */
  #addNumber(value: number, times: number): void {
    const term = value * times;
    const sum = this.#sum + term;
    this.#compensation +=
      Math.abs(this.#sum) >= Math.abs(term) ? this.#sum - sum + term : term - sum + this.#sum;
    this.#sum = sum;
    if (this.#numbers === undefined) this.#numbers = { least: value, greatest: value };
    else if (value < this.#numbers.least) this.#numbers = { ...this.#numbers, least: value };
    else if (value > this.#numbers.greatest) this.#numbers = { ...this.#numbers, greatest: value };
  }

  #addTime(value: string): void {
    const at = instantOf(value);
    if (Number.isNaN(at)) return; // no such day: counts, but has no place in the order
    if (this.#times === undefined) {
      const only = { at, text: ownText(value) };
      this.#times = { least: only, greatest: only };
    } else if (at < this.#times.least.at) this.#times.least = { at, text: ownText(value) };
    else if (at > this.#times.greatest.at) this.#times.greatest = { at, text: ownText(value) };
  }

  #addText(value: string): void {
    if (this.#texts === undefined) {
      const only = ownText(value);
      this.#texts = { least: only, greatest: only };
    } else if (value < this.#texts.least) this.#texts = { ...this.#texts, least: ownText(value) };
    else if (value > this.#texts.greatest) this.#texts = { ...this.#texts, greatest: ownText(value) };
  }
}

/** Sums can leave the range of numbers where no value does. */
function finiteMean(mean: number): { readonly mean?: number } {
  return Number.isFinite(mean) ? { mean } : {};
}

const BLANK = 32;

function trim(value: string): string {
  return value.charCodeAt(0) <= BLANK || value.charCodeAt(value.length - 1) <= BLANK ? value.trim() : value;
}
