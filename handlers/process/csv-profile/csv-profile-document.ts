/**
 * The result of the kind `csv-profile`: an `application/json` document of this shape. Fields may be added.
 * Texts from the file are cut to 100 characters.
 */
export interface CsvProfile {
  readonly format: 'jobwire.csv-profile.v1';
  readonly file: {
    readonly name: string;
    /** Bytes. */
    readonly size: number;
    readonly delimiter: ',' | ';' | '\t' | '|';
    /** Whether the first row was taken for the names of the columns. */
    readonly header: boolean;
    /** Whether the file began with a byte order mark. */
    readonly byteOrderMark: boolean;
  };
  /** Rows that the columns' figures are made of: well-formed ones, without the header. */
  readonly rows: number;
  /** Lines with nothing on them; they count as no row. */
  readonly blankLines: number;
  readonly malformed: MalformedRows;
  readonly columns: readonly ColumnSummary[];
}

/** Rows that could not be used. */
export interface MalformedRows {
  readonly count: number;
  /** The first ten. */
  readonly samples: readonly MalformedRow[];
}

/** A row that could not be used. */
export interface MalformedRow {
  /** The line of the file on which the row begins, from 1. */
  readonly line: number;
  /** `field-count`: another number of fields than the columns. `quotes`: text behind a closing quote. */
  readonly reason: 'field-count' | 'quotes';
  /** The fields as far as they could be read, with delimiters between; at most 200 characters. */
  readonly excerpt: string;
}

/**
 * What the values of a column are. Empty values do not count; a column without any other is `empty`. All of
 * one type make the column that type; integers and numbers together are `number`; dates and date-times
 * together are `datetime`; every other mixture is `text` (`types` says what is in it).
 */
export type ColumnType = ValueType | 'empty';

/**
 * `integer`: digits with an optional sign, no leading zeros (so that a postal code such as 00501 stays text).
 * `number`: decimal point or exponent. `boolean`: true or false in any case. `date`: 2026-11-23 or 2026/11/23.
 * `datetime`: such a date, `T` or a blank, and a time with optional seconds, fraction and zone. Else `text`.
 */
export type ValueType = 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'text';

/** The figures of one column. */
export interface ColumnSummary {
  /** From the header; `column 3` where there is none. A repeated name gets ` (2)` and so on. */
  readonly name: string;
  readonly type: ColumnType;
  /** How many values are of each type; types without any are left out. */
  readonly types: Readonly<Partial<Record<ValueType, number>>>;
  /** Values that are not empty. */
  readonly count: number;
  /** Values without a character, or of blanks alone. */
  readonly empty: number;
  /** How many different values there are; with `exact` false an estimate with a standard error of 0.8 %. */
  readonly distinct: { readonly value: number; readonly exact: boolean };
  /** The least value: a number in numeric columns, a text in others (dates in order of time). */
  readonly min?: number | string;
  readonly max?: number | string;
  /** Numeric columns only. */
  readonly mean?: number;
  /** The length of the longest value, in UTF-16 code units. */
  readonly longest: number;
  /** The most frequent values, most frequent first. */
  readonly frequent: FrequentValues;
}

/** At most ten values of a column. */
export interface FrequentValues {
  /** With false, a value with fewer occurrences than the last one listed may be missing, or a close one. */
  readonly exact: boolean;
  readonly values: readonly FrequentValue[];
}

/** A value and how often it occurs. */
export interface FrequentValue {
  readonly value: string;
  /** Whether `value` is the beginning of a longer one. */
  readonly cut?: true;
  /** Exact, or the least that is certain. */
  readonly count: number;
  /** The most that is possible; only where `count` is not exact. */
  readonly atMost?: number;
}
