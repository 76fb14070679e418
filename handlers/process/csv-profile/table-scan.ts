import { ProcessingError } from '../processor.ts';
import type { MalformedRow, MalformedRows } from './csv-profile-document.ts';
import { isBlankLine, MAXIMUM_COLUMNS, type SniffedDialect } from './dialect.ts';
import { beginningOf, ownText } from './quoted-text.ts';
import type { CsvRecord } from './record-splitter.ts';

/** The most samples of malformed rows, and how much of each is shown, in characters. */
const SAMPLES = 10;
const EXCERPT_CHARACTERS = 200;

/** With this share of rows malformed, the file is not the table that it was taken for. */
const HOPELESS_SHARE = 0.9;

/** So often, in rows, it is looked whether the file is hopeless, so that nobody waits for the end of it. */
const LOOK_EVERY = 10_000;

/** Whether a row has its fields; it may still be the header. */
export function isWellFormed({ fields, brokenQuotes }: CsvRecord, width: number): boolean {
  return !brokenQuotes && fields.length === width;
}

/** What kind of row it was. The header is the first one that is not blank, where the dialect has one. */
export type RowKind = 'row' | 'header' | 'malformed' | 'blank';

/**
 * Tells the rows of a whole file apart, counts them, and gives a hopeless file up: all but the figures of columns.
 * So whoever has scanned a file knows that it can be profiled.
 */
export class TableScan {
  readonly #dialect: SniffedDialect;
  readonly #samples: MalformedRow[] = [];
  #header: readonly string[] | undefined;
  #headerExpected: boolean;
  #rows = 0;
  #blankLines = 0;
  #malformed = 0;
  #brokenQuotes = 0;

  /** @throws ProcessingError `too-many-columns`. */
  constructor(dialect: SniffedDialect) {
    const { width } = dialect;
    if (width > MAXIMUM_COLUMNS) {
      throw new ProcessingError({
        code: 'too-many-columns',
        title: 'The file has too many columns',
        detail: `It has ${width} columns; at most ${MAXIMUM_COLUMNS} can be profiled.`,
        retryable: false,
      });
    }
    this.#dialect = dialect;
    this.#headerExpected = dialect.header;
  }

  /** Well-formed rows up to now, without the header. */
  get rows(): number {
    return this.#rows;
  }

  /** The fields of the header, once it has been met. */
  get header(): readonly string[] | undefined {
    return this.#header;
  }

  /**
   * Takes the next row, which begins on `line`.
   * @throws ProcessingError `broken-quotes` or `not-csv` once the file has proved hopeless.
   */
  add(record: CsvRecord, line: number): RowKind {
    if (isBlankLine(record.fields)) {
      this.#blankLines += 1;
      return 'blank';
    }
    const kind = this.#kindOf(record);
    this.#headerExpected = false;
    if (kind === 'malformed') this.#addMalformed(record, line);
    else if (kind === 'header') this.#header = record.fields.map(ownText);
    else this.#rows += 1;
    if ((this.#rows + this.#malformed) % LOOK_EVERY === 0) this.#giveUpIfHopeless();
    return kind;
  }

  /**
   * What there is beside the columns, once all rows are in.
   * @throws ProcessingError as `add`.
   */
  end(): { readonly rows: number; readonly blankLines: number; readonly malformed: MalformedRows } {
    this.#giveUpIfHopeless();
    return {
      rows: this.#rows,
      blankLines: this.#blankLines,
      malformed: { count: this.#malformed, samples: this.#samples },
    };
  }

  #kindOf(record: CsvRecord): Exclude<RowKind, 'blank'> {
    if (!isWellFormed(record, this.#dialect.width)) return 'malformed';
    return this.#headerExpected ? 'header' : 'row';
  }

  #addMalformed({ fields, brokenQuotes }: CsvRecord, line: number): void {
    this.#malformed += 1;
    if (brokenQuotes) this.#brokenQuotes += 1;
    if (this.#samples.length >= SAMPLES) return;
    this.#samples.push({
      line,
      reason: brokenQuotes ? 'quotes' : 'field-count',
      excerpt: ownText(beginningOf(fields.join(this.#dialect.delimiter), EXCERPT_CHARACTERS)),
    });
  }

  #giveUpIfHopeless(): void {
    const all = this.#rows + this.#malformed;
    if (this.#malformed === 0 || this.#malformed / all < HOPELESS_SHARE) return;
    const byQuotes = this.#brokenQuotes > this.#malformed / 2;
    const first = this.#samples[0];
    throw new ProcessingError({
      code: byQuotes ? 'broken-quotes' : 'not-csv',
      title: byQuotes ? 'The quotes of nearly every row are broken' : 'The file is not CSV',
      detail:
        `${this.#malformed} of ${all} rows ${byQuotes ? 'have text behind a closing quote' : `do not have the expected ${this.#dialect.width} fields`}` +
        `${first === undefined ? '.' : `; the first is on line ${first.line}.`}`,
      retryable: false,
    });
  }
}
