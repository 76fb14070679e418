import { type CsvRecord, type Dialect, parseRecords } from './record-splitter.ts';
import { notCsv } from './text-pieces.ts';
import { typeOf } from './value-type.ts';

/** How much of the file, in characters, is looked at to tell how it is written. */
export const SAMPLE_CHARACTERS = 64 * 1024;

/** The most columns. Each takes some 30 KB where its values have to be estimated. */
export const MAXIMUM_COLUMNS = 2_000;

/** In the order of preference where two fit equally well. */
const DELIMITERS: readonly Dialect['delimiter'][] = [',', ';', '\t', '|'];

/** Text formats that would pass for a table of one column. */
const OTHER_TEXT: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /^\s*(?:<\?xml|<!doctype|<html|<svg)/i, what: 'XML or HTML' },
  { pattern: /^\s*(?:\{\s*"[^"]*"\s*:|\[\s*(?:\{|\]))/, what: 'JSON' },
  { pattern: /^\{\\rtf/, what: 'a Rich Text document' },
];

/** How a file is written. */
export interface SniffedDialect extends Dialect {
  /** Whether the first row names the columns. */
  readonly header: boolean;
  /** As many fields has a well-formed row. */
  readonly width: number;
}

/**
 * Tells how a file is written from its beginning. `whole` says that there is nothing behind the sample.
 * @throws ProcessingError `not-csv` where there is no row, or the text is plainly of another format;
 *   `too-many-columns`.
 */
export function sniffDialect(sample: string, whole: boolean): SniffedDialect {
  const other = OTHER_TEXT.find(({ pattern }) => pattern.test(sample));
  if (other !== undefined) throw notCsv(`The file is ${other.what}.`);
  if (whole && sample.trim() === '') throw notCsv('There is no row in the file.');
  const newline = sample.includes('\n') || !sample.includes('\r') ? '\n' : '\r';
  const candidates = DELIMITERS.map((delimiter) => tried({ delimiter, newline }, sample, whole));
  const best = candidates.reduce((one, other) => (other.score > one.score ? other : one));
  const header = isHeader(best.records);
  const first = best.records[0]?.fields.length;
  return {
    delimiter: best.delimiter,
    newline,
    header,
    width: header && first !== undefined ? first : best.width,
  };
}

interface Candidate extends Dialect {
  readonly records: readonly CsvRecord[];
  readonly width: number;
  readonly score: number;
}

/**
 * How well a delimiter fits: the share of rows that have the most common number of fields, provided that it is
 * more than one. So a comma within texts loses to the semicolon that is in every row.
 */
function tried(dialect: Dialect, sample: string, whole: boolean): Candidate {
  const complete = parseRecords(sample, dialect, whole).records;
  const parsed = complete.length > 0 ? complete : parseRecords(sample, dialect, true).records;
  const records = parsed.filter(({ fields }) => !isBlankLine(fields));
  const widths = new Map<number, number>();
  for (const { fields, brokenQuotes } of records) {
    if (!brokenQuotes) widths.set(fields.length, (widths.get(fields.length) ?? 0) + 1);
  }
  const [width, count] = [...widths].reduce((one, other) => (other[1] > one[1] ? other : one), [1, 0]);
  return { ...dialect, records, width, score: width > 1 ? count / records.length : 0 };
}

/** A line with nothing on it. */
export function isBlankLine(fields: readonly string[]): boolean {
  return fields.length === 1 && (fields[0] ?? '').trim() === '';
}

/**
 * The first row names the columns if nothing in it is a number, a date or true/false; or if in some column it
 * alone is text.
 */
function isHeader(records: readonly CsvRecord[]): boolean {
  const [first, ...others] = records;
  if (first === undefined) return false;
  const cells = first.fields.map((cell) => cell.trim());
  if (cells.every((cell) => cell === '')) return false;
  if (cells.every((cell) => cell === '' || typeOf(cell) === 'text')) return true;
  return cells.some((cell, column) => cell !== '' && typeOf(cell) === 'text' && isTyped(others, column));
}

function isTyped(records: readonly CsvRecord[], column: number): boolean {
  const values = records.map(({ fields }) => fields[column]?.trim() ?? '').filter((value) => value !== '');
  return values.length > 0 && values.every((value) => typeOf(value) !== 'text');
}
