import type { ProfilingLimits } from './profiling-limits.ts';
import { linesOf, type ReadRecords } from './record-splitter.ts';

/** That a range begins with a row. */
export interface RangeBeginning {
  /** Which of the rows at hand. */
  readonly index: number;
  /** Where it stands: bytes of the file before it. */
  readonly from: number;
}

const NONE: readonly RangeBeginning[] = [];

/**
 * Finds the rows that ranges begin with. One begins with the first row of the file, and one with the first row at or
 * behind each multiple of so many bytes; of several that fall on one row there is only one, so that none is empty.
 */
export class RangeFinder {
  readonly #newline: string;
  readonly #stride: number;
  readonly #last: number;
  #wanted: number;
  #position: number;

  /** `position` is where the first row stands; `size` the bytes of the file, which need not be right. */
  constructor(newline: string, position: number, size: number, limits: ProfilingLimits) {
    this.#newline = newline;
    this.#stride = Math.max(limits.rangeBytes, Math.ceil(size / limits.mostRanges));
    this.#last = this.#stride * (limits.mostRanges - 1);
    this.#position = position;
    this.#wanted = this.#behind(position);
    // A file that ends before its second range needs no positions at all.
    if (this.#wanted >= size && size > 0) this.#wanted = Number.POSITIVE_INFINITY;
  }

  /** Takes the next rows; answers those that a range begins with, without the first row of the file. */
  beginningsIn({ records, text }: ReadRecords): readonly RangeBeginning[] {
    if (records.length === 0 || this.#wanted === Number.POSITIVE_INFINITY) return NONE;
    const end = this.#position + Buffer.byteLength(text);
    if (end <= this.#wanted) {
      this.#position = end;
      return NONE;
    }
    const beginnings: RangeBeginning[] = [];
    let start = 0;
    for (const [index, record] of records.entries()) {
      if (this.#position >= this.#wanted) {
        beginnings.push({ index, from: this.#position });
        this.#wanted = this.#behind(this.#position);
      }
      const next = this.#endOf(text, start, linesOf(record, this.#newline));
      this.#position += Buffer.byteLength(text.slice(start, next));
      start = next;
    }
    return beginnings;
  }

  /** The multiple behind a position, as long as ranges are left. */
  #behind(position: number): number {
    const next = (Math.floor(position / this.#stride) + 1) * this.#stride;
    return next > this.#last ? Number.POSITIVE_INFINITY : next;
  }

  #endOf(text: string, start: number, lines: number): number {
    let end = start;
    for (let line = 0; line < lines; line += 1) {
      const at = text.indexOf(this.#newline, end);
      if (at === -1) return text.length;
      end = at + 1;
    }
    return end;
  }
}
