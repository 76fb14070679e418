import { columnNames } from './column-names.ts';
import { SAMPLE_CHARACTERS, type SniffedDialect, sniffDialect } from './dialect.ts';
import type { Plan } from './plan.ts';
import type { ProfilingLimits } from './profiling-limits.ts';
import { RangeFinder } from './range-finder.ts';
import { type ReadRecords, RecordSplitter } from './record-splitter.ts';
import { TableScan } from './table-scan.ts';
import type { TextPiece } from './text-pieces.ts';

/** What is to be done with rows on the way. */
export interface RowVisitor {
  /** A range begins, with columns of that number. */
  begin(width: number): void;
  /** A well-formed row of the range that has begun last. */
  row(fields: readonly string[]): void;
}

/** The bytes of a byte order mark in UTF-8. */
const BYTE_ORDER_MARK_BYTES = 3;

interface Table {
  readonly dialect: SniffedDialect;
  readonly splitter: RecordSplitter;
  readonly scan: TableScan;
  readonly finder: RangeFinder;
}

/**
 * Reads a file through once: first a sample is collected, then rows are counted and ranges found. The only place
 * where a file is judged, so that it comes to the same whether its columns are profiled on the way or later.
 */
export class FileScan {
  readonly #size: number;
  readonly #limits: ProfilingLimits;
  readonly #visitor: RowVisitor | undefined;
  readonly #ranges: { readonly from: number; readonly line: number; readonly rowsBefore: number }[] = [];
  #sample = '';
  #byteOrderMark = false;
  #bytes = 0;
  #table: Table | undefined;
  #headerRange: number | undefined;

  /** `size` is that of the file as it was announced. */
  constructor(size: number, limits: ProfilingLimits, visitor?: RowVisitor) {
    this.#size = size;
    this.#limits = limits;
    this.#visitor = visitor;
  }

  /** Bytes up to now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Rows and columns up to now, once it is known how the file is written. */
  get counts(): { readonly rows: number; readonly columns: number } | undefined {
    if (this.#table === undefined) return undefined;
    return { rows: this.#table.scan.rows, columns: this.#table.dialect.width };
  }

  /** Takes the next piece. @throws ProcessingError for what is not CSV. */
  take({ text, bytes, byteOrderMark }: TextPiece): void {
    this.#bytes = bytes;
    this.#byteOrderMark = byteOrderMark;
    if (this.#table === undefined) {
      this.#sample += text;
      if (this.#sample.length >= SAMPLE_CHARACTERS) this.#start(false);
    } else {
      this.#add(this.#table, this.#table.splitter.push(text));
    }
  }

  /** What was found, after the last piece. @throws ProcessingError as `take`. */
  end(): Plan {
    const table = this.#table ?? this.#start(true);
    this.#add(table, table.splitter.end());
    const { rows, blankLines, malformed } = table.scan.end();
    const ranges = this.#ranges.map(({ from, line, rowsBefore }, index) => {
      const next = this.#ranges[index + 1];
      return { from, to: next?.from ?? this.#bytes, line, rows: (next?.rowsBefore ?? rows) - rowsBefore };
    });
    return {
      format: 'jobwire.csv-plan.v1',
      size: this.#bytes,
      byteOrderMark: this.#byteOrderMark,
      dialect: table.dialect,
      recordCharacters: this.#limits.recordCharacters,
      ...(this.#headerRange === undefined ? {} : { headerRange: this.#headerRange }),
      names: [...columnNames(table.scan.header, table.dialect.width)],
      rows,
      blankLines,
      malformed: { count: malformed.count, samples: [...malformed.samples] },
      ranges,
    };
  }

  /** The sample is cut to its size, so that the same file is sniffed alike however it arrives. */
  #start(whole: boolean): Table {
    const dialect = sniffDialect(this.#sample.slice(0, SAMPLE_CHARACTERS), whole);
    const from = this.#byteOrderMark ? BYTE_ORDER_MARK_BYTES : 0;
    const table = {
      dialect,
      splitter: new RecordSplitter(dialect, { maximumRecordCharacters: this.#limits.recordCharacters }),
      scan: new TableScan(dialect),
      finder: new RangeFinder(dialect.newline, from, this.#size, this.#limits),
    };
    this.#table = table;
    this.#begin(table, from);
    this.#add(table, table.splitter.push(this.#sample));
    this.#sample = '';
    return table;
  }

  #begin({ dialect, scan, splitter }: Table, from: number): void {
    this.#ranges.push({ from, line: splitter.line, rowsBefore: scan.rows });
    this.#visitor?.begin(dialect.width);
  }

  #add(table: Table, read: ReadRecords): void {
    const { splitter, scan, finder } = table;
    let beginnings = finder.beginningsIn(read);
    let index = 0;
    for (const record of read.records) {
      const [beginning] = beginnings;
      if (beginning?.index === index) {
        this.#begin(table, beginning.from);
        beginnings = beginnings.slice(1);
      }
      const kind = scan.add(record, splitter.line);
      if (kind === 'row') this.#visitor?.row(record.fields);
      else if (kind === 'header') this.#headerRange = this.#ranges.length - 1;
      splitter.passed(record);
      index += 1;
    }
  }
}
