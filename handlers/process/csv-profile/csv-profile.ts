import type { Processor, ProcessorInput, ProcessorResult } from '../processor.ts';
import type { CsvProfile } from './csv-profile-document.ts';
import { SAMPLE_CHARACTERS, type SniffedDialect, sniffDialect } from './dialect.ts';
import { type CsvRecord, RecordSplitter } from './record-splitter.ts';
import { TableProfile } from './table-profile.ts';
import { type TextPiece, textPieces } from './text-pieces.ts';

const STEPS = ['sniff', 'profile', 'summarize'] as const;

/**
 * Profiles a CSV file of any size in memory that does not grow with it: UTF-8, delimiter and header found out,
 * quotes after RFC 4180. The result is a `CsvProfile`. Errors: `not-csv`, `broken-quotes`, `too-many-columns`.
 */
export const csvProfile: Processor = {
  kind: 'csv-profile',

  async process(input: ProcessorInput): Promise<ProcessorResult> {
    announce(input, 'sniff', 0);
    const profiling = new Profiling(input);
    for await (const piece of textPieces(input.body, input.signal)) profiling.take(piece);
    const profile = profiling.end();
    return { body: JSON.stringify(profile), contentType: 'application/json' };
  },
};

/** The work on one file: first a sample is collected, then rows are profiled. */
class Profiling {
  readonly #input: ProcessorInput;
  #sample = '';
  #byteOrderMark = false;
  #bytes = 0;
  #table:
    | { readonly dialect: SniffedDialect; readonly splitter: RecordSplitter; readonly profile: TableProfile }
    | undefined;

  constructor(input: ProcessorInput) {
    this.#input = input;
  }

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

  end(): CsvProfile {
    const table = this.#table ?? this.#start(true);
    this.#add(table, table.splitter.end());
    announce(this.#input, 'summarize', this.#bytes);
    const { delimiter, header } = table.dialect;
    return {
      format: 'jobwire.csv-profile.v1',
      file: {
        name: this.#input.fileName,
        size: this.#bytes,
        delimiter,
        header,
        byteOrderMark: this.#byteOrderMark,
      },
      ...table.profile.summarize(),
    };
  }

  /** The sample is cut to its size, so that the same file is sniffed alike however it arrives. */
  #start(whole: boolean) {
    const dialect = sniffDialect(this.#sample.slice(0, SAMPLE_CHARACTERS), whole);
    const table = { dialect, splitter: new RecordSplitter(dialect), profile: new TableProfile(dialect) };
    this.#table = table;
    this.#add(table, table.splitter.push(this.#sample));
    this.#sample = '';
    return table;
  }

  #add(
    table: { readonly splitter: RecordSplitter; readonly profile: TableProfile },
    records: readonly CsvRecord[],
  ): void {
    const { splitter, profile } = table;
    for (const record of records) {
      profile.add(record, splitter.line);
      splitter.passed(record);
    }
    announce(
      this.#input,
      'profile',
      this.#bytes,
      `profiled ${grouped(profile.rows)} rows of ${grouped(profile.width)} columns`,
    );
  }
}

function announce(input: ProcessorInput, step: (typeof STEPS)[number], done: number, message?: string): void {
  // The object may differ from what was announced by nothing; but a fraction must never exceed 1.
  const total = Math.max(input.size, done);
  input.report({
    progress: { done, total, unit: 'bytes', ...(total === 0 ? { fraction: 0 } : {}) },
    step: { name: step, index: STEPS.indexOf(step) + 1, count: STEPS.length },
    ...(message === undefined ? {} : { message }),
  });
}

/** `1234567` as `1,234,567`; messages are English. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
