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
 * The most characters of a row with its line end. Bounds the memory that a quote which is never closed can take.
 * Exact, so that a row is judged alike whatever has been read behind it.
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

interface Parsed {
  readonly records: readonly CsvRecord[];
  /** What follows the last end of a row. */
  readonly rest: string;
  /** Whether the text ends within quotes. */
  readonly openQuote: boolean;
  /** How many quotes are followed by text. */
  readonly badQuotes: number;
}

/** Parses a text of rows; without `whole`, what follows the last end of a row is left for later. */
export function parseRecords(text: string, dialect: Dialect, whole: boolean): Parsed {
  const parser = new Papa.Parser({ delimiter: dialect.delimiter, newline: dialect.newline, quoteChar: '"' });
  const { data, errors, meta }: ParserAnswer = parser.parse(text, 0, !whole);
  const broken = new Set(errors.filter(({ code }) => code === 'InvalidQuotes').map(({ row }) => row));
  const afterLastEnd = whole && text.endsWith(dialect.newline) && data.at(-1)?.join() === '';
  const rows = afterLastEnd ? data.slice(0, -1) : data;
  const records = rows.map((fields, row) => ({
    fields: dialect.newline === '\n' ? withoutCarriageReturn(fields) : fields,
    brokenQuotes: broken.has(row),
  }));
  return {
    records,
    rest: whole ? '' : text.slice(meta.cursor),
    openQuote: errors.some(({ code }) => code === 'MissingQuotes'),
    badQuotes: errors.length,
  };
}

/**
 * So many rows may take a whole megabyte along with their broken quotes, and be given up one line each. Each costs
 * another pass over that megabyte, so the file itself is given up beyond.
 */
const MAXIMUM_RECOVERIES = 100;

/** With more bad quotes than this in such a row, it is not one row's mistake: all quotes of the file are like that. */
const MAXIMUM_BAD_QUOTES = 1_000;

/** Rows that were read at once, and the text that they stand in: nothing else, and no row cut. */
export interface ReadRecords {
  readonly records: readonly CsvRecord[];
  readonly text: string;
}

/** How a splitter goes about its text. */
export interface SplitterOptions {
  /** See `MAXIMUM_RECORD_CHARACTERS`, which it is by default. */
  readonly maximumRecordCharacters?: number;
  /**
   * Whether another splitter has taken the whole file before. Then a row that is still open where the text ends is
   * known to end with its first line, and nothing is judged again: what was judged by may lie behind this text.
   */
  readonly judged?: boolean;
}

/**
 * Splits a stream of text into rows, however the text is cut. A row with text behind a closing quote goes on until
 * the next quote that ends a value, as in spreadsheets; where there is none, it ends with its first line. Where a
 * row ends depends only on the text from its beginning on, so that a file may be split from any row.
 */
export class RecordSplitter {
  readonly #dialect: Dialect;
  readonly #limit: number;
  readonly #judged: boolean;
  #rest = '';
  #pending: string[] = [];
  #pendingCharacters = 0;
  #line = 1;
  #recoveries = 0;

  constructor(dialect: Dialect, options: SplitterOptions = {}) {
    this.#dialect = dialect;
    this.#limit = options.maximumRecordCharacters ?? MAXIMUM_RECORD_CHARACTERS;
    this.#judged = options.judged ?? false;
  }

  /** The line on which the first row that has not been `passed` begins, from 1. */
  get line(): number {
    return this.#line;
  }

  /**
   * Takes more text; answers the rows that it completes, if any.
   * @throws ProcessingError `broken-quotes` or `not-csv` for a row that is too large.
   */
  push(text: string): ReadRecords {
    this.#pending.push(text);
    this.#pendingCharacters += text.length;
    // Never less than what is left over: otherwise a large row would be read again for every piece of it.
    if (this.#pendingCharacters < Math.max(PASS_CHARACTERS, this.#rest.length)) return NOTHING_READ;
    return this.#read(this.#takePending(), false);
  }

  /**
   * The rows that are left.
   * @throws ProcessingError `broken-quotes` where a quote is still open; `not-csv` for a row that is too large.
   */
  end(): ReadRecords {
    return this.#read(this.#takePending(), true);
  }

  /** Notes that a row has been dealt with, so that `line` is right. */
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

  #read(text: string, whole: boolean): ReadRecords {
    let records: readonly CsvRecord[] = [];
    for (let left = text; ; ) {
      // A row is read from what it may be at most, and never from more, so that no cut of the text matters.
      const isCut = left.length > this.#limit;
      const window = isCut ? left.slice(0, this.#limit) : left;
      const parsed = parseRecords(window, this.#dialect, whole && !isCut);
      if (isCut ? parsed.records.length > 0 : !(whole && parsed.openQuote)) {
        records = records.length === 0 ? parsed.records : records.concat(parsed.records);
        left = left.slice(window.length - parsed.rest.length);
        if (isCut) continue;
        this.#rest = left;
        return { records, text: text.slice(0, text.length - left.length) };
      }
      const before = isCut ? parsed : parseRecords(window, this.#dialect, false);
      records = records.concat(before.records);
      const firstLine = this.#firstLineOfBroken(before.rest, isCut, records);
      records = records.concat({ fields: [firstLine], brokenQuotes: true });
      const done = window.length - before.rest.length + firstLine.length + this.#dialect.newline.length;
      left = left.slice(done);
    }
  }

  /** @throws ProcessingError unless the row has a closing quote that is merely followed by text. */
  #firstLineOfBroken(row: string, isCut: boolean, before: readonly CsvRecord[]): string {
    const end = row.indexOf(this.#dialect.newline);
    if (this.#judged) return end === -1 ? row : row.slice(0, end);
    const line = before.reduce((sum, record) => sum + linesOf(record, this.#dialect.newline), this.#line);
    const { openQuote, badQuotes, records } = parseRecords(
      isCut ? withoutQuotesAtEnd(row) : row,
      this.#dialect,
      true,
    );
    if (!openQuote) {
      throw new ProcessingError({
        code: 'not-csv',
        title: 'The file is not CSV',
        detail: `The row that begins on line ${line} has more than ${this.#limit} characters.`,
        retryable: false,
      });
    }
    this.#recoveries += 1;
    const isOneMistake = records[0]?.brokenQuotes === true && badQuotes <= MAXIMUM_BAD_QUOTES;
    if (!isOneMistake || end === -1 || this.#recoveries > MAXIMUM_RECOVERIES) throw brokenQuotes(line);
    return row.slice(0, end);
  }
}

const NOTHING_READ: ReadRecords = { records: [], text: '' };

/** Behind a cut there is more: a quote just before it would count as closing, whatever follows. */
function withoutQuotesAtEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === '"') end -= 1;
  return text.slice(0, end);
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

/**
 * A row takes one line, and one more for every line end within its quotes. With that, too, rows are found again in
 * the text that they were read from.
 */
export function linesOf({ fields }: CsvRecord, newline: string): number {
  let lines = 1;
  for (const field of fields) {
    for (let at = field.indexOf(newline); at !== -1; at = field.indexOf(newline, at + 1)) lines += 1;
  }
  return lines;
}
