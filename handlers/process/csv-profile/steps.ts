import type { Readable } from 'node:stream';
import { ProcessingError, type ProcessorResult } from '../processor.ts';
import type { CsvProfile } from './csv-profile-document.ts';
import { isBlankLine } from './dialect.ts';
import { FileScan } from './file-scan.ts';
import { type Plan, type Range, rangeOf } from './plan.ts';
import { PROFILING_LIMITS, type ProfilingLimits } from './profiling-limits.ts';
import { bytesOfRange, rangeFromBytes } from './range-bytes.ts';
import { emptyRangeProfile, RangeProfile } from './range-profile.ts';
import { RecordSplitter } from './record-splitter.ts';
import { StepStateError } from './step-state-error.ts';
import { isWellFormed } from './table-scan.ts';
import { textPieces } from './text-pieces.ts';

/** How far a step is. */
export interface StepProgress {
  /** Bytes that this step has read. */
  readonly bytes: number;
  /** Rows among them. */
  readonly rows: number;
}

/** What a step reads, and whom it tells. */
export interface StepInput {
  readonly body: Readable;
  /** Aborted when the work is pointless; the step then throws the signal's reason. */
  readonly signal: AbortSignal;
  /** Called with every piece of the body; never waits. */
  readonly report: (progress: StepProgress) => void;
}

/**
 * The first step: reads the whole file, `size` bytes as they were announced, and finds out all but the figures of
 * the columns. What is wrong with a file comes up here and in no other step.
 * @throws ProcessingError as the processor `csvProfile`, word for word; whatever the body fails with.
 */
export async function inspect(
  input: StepInput & { readonly size: number; readonly limits?: ProfilingLimits },
): Promise<Plan> {
  const scan = new FileScan(input.size, input.limits ?? PROFILING_LIMITS);
  for await (const piece of textPieces(input.body, input.signal)) {
    scan.take(piece);
    input.report({ bytes: scan.bytes, rows: scan.counts?.rows ?? 0 });
  }
  return scan.end();
}

/**
 * The second step, for each range of the plan by itself, in any order: profiles bytes `from` to before `to`, which
 * are the `body`. The answer is for `mergeProfiles`; range-bytes.ts says how large it may be.
 * @throws StepStateError where the plan has no such range, or the body is not what was inspected; whatever the body
 *   fails with.
 */
export async function profileRange(input: StepInput, plan: Plan, index: number): Promise<Uint8Array> {
  const range = rangeOf(plan, index);
  const profile = emptyRangeProfile(plan.dialect.width);
  const rows = new RowsOfRange(plan, index, profile);
  let read = 0;
  try {
    for await (const { text, bytes } of textPieces(input.body, input.signal, false)) {
      rows.take(text);
      read = bytes;
      input.report({ bytes, rows: profile.rows });
    }
  } catch (error) {
    if (!(error instanceof ProcessingError)) throw error;
    throw new StepStateError(`${anotherFile(range)}: ${error.message}`, { cause: error });
  }
  rows.end();
  if (read !== range.to - range.from || profile.rows !== range.rows) {
    throw new StepStateError(
      `${anotherFile(range)}: ${read} bytes with ${profile.rows} rows, not ${range.to - range.from} with ${range.rows}`,
    );
  }
  return bytesOfRange(index, profile);
}

/** The rows of one range, of which some are known to be no rows of the table. */
class RowsOfRange {
  readonly #splitter: RecordSplitter;
  readonly #width: number;
  readonly #profile: RangeProfile;
  #headerExpected: boolean;

  constructor(plan: Plan, index: number, profile: RangeProfile) {
    this.#splitter = new RecordSplitter(plan.dialect, {
      maximumRecordCharacters: plan.recordCharacters,
      judged: true,
    });
    this.#width = plan.dialect.width;
    this.#profile = profile;
    this.#headerExpected = plan.headerRange === index;
  }

  take(text: string): void {
    this.#add(this.#splitter.push(text));
  }

  end(): void {
    this.#add(this.#splitter.end());
  }

  #add({ records }: ReturnType<RecordSplitter['push']>): void {
    for (const record of records) {
      if (isBlankLine(record.fields)) continue;
      if (this.#headerExpected) this.#headerExpected = false;
      else if (isWellFormed(record, this.#width)) this.#profile.add(record.fields);
    }
  }
}

function anotherFile({ from, to }: Range): string {
  return `Bytes ${from} to ${to} are not those of the file that was inspected`;
}

/**
 * The last step: merges what `profileRange` answered for every range, in the order of the plan. Holds one of them
 * at a time beside what the former have come to.
 * @throws StepStateError where one is missing, or is of another range or version; whatever `partials` throws.
 */
export async function mergeProfiles(
  plan: Plan,
  partials: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  fileName: string,
): Promise<ProcessorResult> {
  const columns = plan.dialect.width;
  let index = 0;
  let merged: RangeProfile | undefined;
  for await (const bytes of partials) {
    const partial = rangeFromBytes(bytes, { index, rows: rangeOf(plan, index).rows, columns });
    if (merged === undefined) merged = new RangeProfile([...partial.columns], partial.rows);
    else merged.merge(partial);
    index += 1;
  }
  if (merged === undefined || index !== plan.ranges.length) {
    throw new StepStateError(`There are profiles of ${index} ranges, not of all ${plan.ranges.length}`);
  }
  return resultOf(plan, merged, fileName);
}

/** The result of the kind `csv-profile`, from a plan and the profile of all its ranges. */
export function resultOf(plan: Plan, profile: RangeProfile, fileName: string): ProcessorResult {
  const { size, byteOrderMark, dialect, rows, blankLines, malformed, names } = plan;
  const { delimiter, header } = dialect;
  const document: CsvProfile = {
    format: 'jobwire.csv-profile.v1',
    file: { name: fileName, size, delimiter, header, byteOrderMark },
    rows,
    blankLines,
    malformed,
    columns: profile.summarize(names),
  };
  return { body: JSON.stringify(document), contentType: 'application/json' };
}
