import { ProcessingError } from '../processor.ts';
import { columnNames } from './column-names.ts';
import { ColumnProfile, exactValuesFor } from './column-profile.ts';
import type { ColumnSummary, MalformedRow, MalformedRows } from './csv-profile-document.ts';
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

/** The figures of a whole file, row by row. */
export class TableProfile {
  readonly #dialect: SniffedDialect;
  readonly #columns: readonly ColumnProfile[];
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
    this.#columns = Array.from({ length: width }, () => new ColumnProfile(exactValuesFor(width)));
  }

  /** Well-formed rows up to now, without the header. */
  get rows(): number {
    return this.#rows;
  }

  /** How many columns there are. */
  get width(): number {
    return this.#columns.length;
  }

  /**
   * Takes the next row, which begins on `line`.
   * @throws ProcessingError `broken-quotes` or `not-csv` once the file has proved hopeless.
   */
  add(record: CsvRecord, line: number): void {
    const { fields, brokenQuotes } = record;
    if (isBlankLine(fields)) {
      this.#blankLines += 1;
      return;
    }
    if (brokenQuotes || fields.length !== this.#columns.length) {
      this.#addMalformed(record, line);
    } else if (this.#headerExpected) {
      this.#header = fields.map(ownText);
    } else {
      this.#rows += 1;
      for (let index = 0; index < fields.length; index += 1) this.#columns[index]?.add(fields[index] ?? '');
    }
    this.#headerExpected = false;
    if ((this.#rows + this.#malformed) % LOOK_EVERY === 0) this.#giveUpIfHopeless();
  }

  /**
   * The figures; afterwards no more rows are taken.
   * @throws ProcessingError as `add`.
   */
  summarize(): {
    readonly rows: number;
    readonly blankLines: number;
    readonly malformed: MalformedRows;
    readonly columns: readonly ColumnSummary[];
  } {
    this.#giveUpIfHopeless();
    const names = columnNames(this.#header, this.#columns.length);
    return {
      rows: this.#rows,
      blankLines: this.#blankLines,
      malformed: { count: this.#malformed, samples: this.#samples },
      columns: this.#columns.map((column, index) => column.summarize(names[index] ?? '')),
    };
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
        `${this.#malformed} of ${all} rows ${byQuotes ? 'have text behind a closing quote' : `do not have the expected ${this.#columns.length} fields`}` +
        `${first === undefined ? '.' : `; the first is on line ${first.line}.`}`,
      retryable: false,
    });
  }
}
