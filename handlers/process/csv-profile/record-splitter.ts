import Papa from 'papaparse';
import { ProcessingError } from '../processor.ts';

/** One row as it was read. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** Whether text stands behind a closing quote, as in `"a"b`. */
  readonly brokenQuotes: boolean;
}

/** What the rows are told apart by. */
export interface Dialect {
  readonly delimiter: ',' | ';' | '\t' | '|';
  /** `\n` for files with `\r\n` too. */
  readonly newline: '\n' | '\r';
}

/**
 * A row of so many characters always fits; one of more than twice as many never does, and what is between may.
 * Bounds the memory that a quote which is never closed can take.
 */
export const MAXIMUM_RECORD_CHARACTERS = 1024 * 1024;

/** So much text, in characters, is worth a pass of the parser. */
const PASS_CHARACTERS = 16 * 1024;

/**
 * What Papa.Parser answers (papaparse.js 5.7, `returnable`); its types say `any`. `row` of an error counts from
 * the first row of `data`; that of the unfinished last row, which is not in `data`, is its length.
 */
interface ParserAnswer {
  readonly data: readonly (readonly string[])[];
  readonly errors: readonly { readonly code: string; readonly row?: number }[];
  readonly meta: { readonly cursor: number };
}

/** Parses a text of rows; without `whole`, what follows the last end of a row is left for later. */
export function parseRecords(
  text: string,
  dialect: Dialect,
  whole: boolean,
): { readonly records: readonly CsvRecord[]; readonly rest: string; readonly openQuote: boolean } {
  const parser = new Papa.Parser({ delimiter: dialect.delimiter, newline: dialect.newline, quoteChar: '"' });
  const { data, errors, meta }: ParserAnswer = parser.parse(text, 0, !whole);
  const broken = new Set(errors.filter(({ code }) => code === 'InvalidQuotes').map(({ row }) => row));
  const records = data.map((fields, row) => ({
    fields: dialect.newline === '\n' ? withoutCarriageReturn(fields) : fields,
    brokenQuotes: broken.has(row),
  }));
  return {
    records,
    rest: whole ? '' : text.slice(meta.cursor),
    openQuote: errors.some(({ code }) => code === 'MissingQuotes'),
  };
}

/** Splits a stream of text into rows, however the text is cut. */
export class RecordSplitter {
  readonly #dialect: Dialect;
  #rest = '';
  #pending: string[] = [];
  #pendingCharacters = 0;
  #line = 1;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** The line on which the first row that has not been given out begins, from 1. */
  get line(): number {
    return this.#line;
  }

  /**
   * Takes more text; answers the rows that it completes, if any.
   * @throws ProcessingError `broken-quotes` or `not-csv` for a row that is too large.
   */
  push(text: string): readonly CsvRecord[] {
    this.#pending.push(text);
    this.#pendingCharacters += text.length;
    // Never less than what is left over: otherwise a large row would be read again for every piece of it.
    if (this.#pendingCharacters < Math.max(PASS_CHARACTERS, this.#rest.length)) return [];
    const { records, rest } = parseRecords(this.#takePending(), this.#dialect, false);
    this.#rest = rest;
    if (rest.length > MAXIMUM_RECORD_CHARACTERS) throw this.#tooLarge(records);
    return records;
  }

  /**
   * The rows that are left.
   * @throws ProcessingError `broken-quotes` where a quote is still open.
   */
  end(): readonly CsvRecord[] {
    const { records, openQuote } = parseRecords(this.#takePending(), this.#dialect, true);
    if (openQuote) throw brokenQuotes(this.#lineBehind(records.slice(0, -1)));
    return records;
  }

  /** Notes that rows have been dealt with, so that `line` is right. */
  passed(record: CsvRecord): void {
    this.#line += linesOf(record, this.#dialect.newline);
  }

  #takePending(): string {
    const text = this.#rest + this.#pending.join('');
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#rest = '';
    return text;
  }

  #lineBehind(records: readonly CsvRecord[]): number {
    return records.reduce((line, record) => line + linesOf(record, this.#dialect.newline), this.#line);
  }

  #tooLarge(records: readonly CsvRecord[]): ProcessingError {
    const line = this.#lineBehind(records);
    const { openQuote } = parseRecords(this.#rest, this.#dialect, true);
    if (openQuote) return brokenQuotes(line);
    return new ProcessingError({
      code: 'not-csv',
      title: 'The file is not CSV',
      detail: `The row that begins on line ${line} has more than ${MAXIMUM_RECORD_CHARACTERS} characters.`,
      retryable: false,
    });
  }
}

/** The error of a quote that is opened and never closed. */
function brokenQuotes(line: number): ProcessingError {
  return new ProcessingError({
    code: 'broken-quotes',
    title: 'A quoted value never ends',
    detail: `The row that begins on line ${line} opens a quote that is not closed. Within quotes, write "" for a quote.`,
    retryable: false,
  });
}

function withoutCarriageReturn(fields: readonly string[]): readonly string[] {
  const last = fields.at(-1);
  if (last === undefined || !last.endsWith('\r')) return fields;
  return [...fields.slice(0, -1), last.slice(0, -1)];
}

/** A row takes one line, and one more for every line end within its quotes. */
function linesOf({ fields }: CsvRecord, newline: string): number {
  let lines = 1;
  for (const field of fields) {
    for (let at = field.indexOf(newline); at !== -1; at = field.indexOf(newline, at + 1)) lines += 1;
  }
  return lines;
}
