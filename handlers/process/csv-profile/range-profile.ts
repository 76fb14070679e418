import { ColumnProfile, exactValuesFor } from './column-profile.ts';
import type { ColumnSummary } from './csv-profile-document.ts';

/** Rows of one range as they are merged: column by column, so that not all need to be in memory at once. */
export interface MergeableRange {
  readonly rows: number;
  readonly columns: Iterable<ColumnProfile>;
}

/** The figures of the rows of one range, or of several that follow each other. */
export class RangeProfile implements MergeableRange {
  readonly #columns: readonly ColumnProfile[];
  #rows: number;

  /** Without any row, or with those that the columns have counted already. */
  constructor(columns: readonly ColumnProfile[], rows = 0) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** Rows up to now. */
  get rows(): number {
    return this.#rows;
  }

  /** From left to right. */
  get columns(): readonly ColumnProfile[] {
    return this.#columns;
  }

  /** Counts a row, which has as many fields as there are columns. */
  add(fields: readonly string[]): void {
    this.#rows += 1;
    for (let index = 0; index < fields.length; index += 1) this.#columns[index]?.add(fields[index] ?? '');
  }

  /**
   * Counts all that the range behind has. Ranges are merged from the first to the last, each into what those before
   * have come to: sums and estimates depend on the order. The columns behind are used up.
   */
  merge(behind: MergeableRange): void {
    this.#rows += behind.rows;
    let index = 0;
    for (const column of behind.columns) {
      this.#columns[index]?.merge(column);
      index += 1;
    }
  }

  /** The columns' figures under their names; afterwards no more rows are taken. */
  summarize(names: readonly string[]): readonly ColumnSummary[] {
    return this.#columns.map((column, index) => column.summarize(names[index] ?? ''));
  }
}

/** A profile of so many columns, without rows. */
export function emptyRangeProfile(width: number): RangeProfile {
  return new RangeProfile(Array.from({ length: width }, () => new ColumnProfile(exactValuesFor(width))));
}
