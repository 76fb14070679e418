import * as v from 'valibot';
import { ColumnProfile, type ColumnState, exactValuesFor } from './column-profile.ts';
import { REGISTERS } from './distinct-estimate.ts';
import { CELLS } from './frequent-estimate.ts';
import type { MergeableRange, RangeProfile } from './range-profile.ts';
import { StepStateError } from './step-state-error.ts';

/*
 * The form in which the profile of a range waits to be merged: sections, each behind its length in four bytes, the
 * lower ones first. The first section says what it is; then each column has a section of JSON and, where it is
 * estimated, one of registers and cells. A column that is counted exactly has at most 5,000 keys (100,000 in all
 * columns), an estimated one 20 KB of sketches and 500 watched keys (50 in wide files). A key is at most 100
 * characters, each in at most six bytes of JSON, and a length and hash. So one column takes at most 3.2 MB exact and
 * 0.4 MB estimated, 2,000 columns 110 MB; common ones a tenth to a half of it (docs/decisions/0019-ranges.md).
 */

const LENGTH_BYTES = 4;
const CELL_BYTES = 4;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Finite = v.pipe(v.number(), v.finite());
/** Sums may be infinite or no number, which JSON cannot say. */
const AnyNumber = v.pipe(v.string(), v.transform(Number));
const extremesOf = <Schema extends v.GenericSchema>(value: Schema) =>
  v.optional(v.strictObject({ least: value, greatest: value }));
const Instant = v.strictObject({ at: Finite, text: v.string() });

const HeadSchema = v.strictObject({
  format: v.literal('jobwire.csv-range.v1'),
  index: Count,
  rows: Count,
  columns: Count,
});

const ExactSchema = v.strictObject({ empty: Count, counted: v.array(v.strictTuple([v.string(), Count])) });

const EstimatedSchema = v.strictObject({
  empty: Count,
  statistics: v.strictObject({
    types: v.array(
      v.strictTuple([v.picklist(['integer', 'number', 'boolean', 'date', 'datetime', 'text']), Count]),
    ),
    longest: Count,
    sum: AnyNumber,
    compensation: AnyNumber,
    numbers: extremesOf(Finite),
    times: extremesOf(Instant),
    texts: extremesOf(v.string()),
  }),
  watched: v.array(v.strictObject({ key: v.string(), atLeast: Count, atMost: Count })),
});

/** A range as bytes; see above how many. */
export function bytesOfRange(index: number, { rows, columns }: RangeProfile): Uint8Array {
  const head: v.InferInput<typeof HeadSchema> = {
    format: 'jobwire.csv-range.v1',
    index,
    rows,
    columns: columns.length,
  };
  const sections: Buffer[] = [];
  const add = (section: Buffer) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(section.byteLength);
    sections.push(length, section);
  };
  add(Buffer.from(JSON.stringify(head)));
  for (const { state } of columns) {
    add(Buffer.from(JSON.stringify(jsonOf(state))));
    if ('registers' in state) add(sketchBytesOf(state.registers, state.frequent.cells));
  }
  return Buffer.concat(sections);
}

function jsonOf(state: ColumnState): unknown {
  if ('counted' in state) return state;
  const { empty, statistics, frequent } = state;
  const sums = { sum: String(statistics.sum), compensation: String(statistics.compensation) };
  return { empty, statistics: { ...statistics, ...sums }, watched: frequent.watched };
}

function sketchBytesOf(registers: Uint8Array, cells: Uint32Array): Buffer {
  const bytes = Buffer.alloc(REGISTERS + CELLS * CELL_BYTES);
  bytes.set(registers);
  for (const [cell, count] of cells.entries()) bytes.writeUInt32LE(count, REGISTERS + cell * CELL_BYTES);
  return bytes;
}

/**
 * Reads what `bytesOfRange` wrote of range `index` with so many rows and columns. The columns are read as they are
 * asked for, once, and errors in them come up then.
 * @throws StepStateError for anything else.
 */
export function rangeFromBytes(
  bytes: Uint8Array,
  expected: { readonly index: number; readonly rows: number; readonly columns: number },
): MergeableRange {
  const sections = new Sections(bytes, expected.index);
  const { index, rows, columns } = sections.json(HeadSchema);
  for (const [what, is, wanted] of [
    ['the number of', index, expected.index],
    ['the rows of', rows, expected.rows],
    ['the columns of', columns, expected.columns],
  ] as const) {
    if (is !== wanted) throw unreadable(expected.index, `${what} the range is ${is}, not ${wanted}`);
  }
  return { rows, columns: columnsOf(sections, columns) };
}

function* columnsOf(sections: Sections, columns: number): Generator<ColumnProfile> {
  for (let column = 0; column < columns; column += 1) {
    yield new ColumnProfile(exactValuesFor(columns), stateOf(sections));
  }
  sections.end();
}

function stateOf(sections: Sections): ColumnState {
  const state = sections.json(v.union([ExactSchema, EstimatedSchema]));
  if ('counted' in state) return state;
  const sketch = sections.next(REGISTERS + CELLS * CELL_BYTES);
  return {
    empty: state.empty,
    statistics: state.statistics,
    registers: Uint8Array.from(sketch.subarray(0, REGISTERS)),
    frequent: {
      cells: Uint32Array.from({ length: CELLS }, (_, cell) =>
        sketch.readUInt32LE(REGISTERS + cell * CELL_BYTES),
      ),
      watched: state.watched,
    },
  };
}

/** Reads sections one behind the other. */
class Sections {
  readonly #bytes: Buffer;
  readonly #index: number;
  #position = 0;

  constructor(bytes: Uint8Array, index: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#index = index;
  }

  /** The next section, of so many bytes where that is known. */
  next(expected?: number): Buffer {
    const start = this.#position + LENGTH_BYTES;
    if (start > this.#bytes.byteLength) throw unreadable(this.#index, 'it ends too early');
    const length = this.#bytes.readUInt32LE(this.#position);
    const end = start + length;
    if (end > this.#bytes.byteLength) throw unreadable(this.#index, 'it ends too early');
    if (expected !== undefined && length !== expected) {
      throw unreadable(this.#index, `a sketch has ${length} bytes, not ${expected}`);
    }
    this.#position = end;
    return this.#bytes.subarray(start, end);
  }

  json<Schema extends v.GenericSchema>(schema: Schema): v.InferOutput<Schema> {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), this.next().toString());
    if (parsed.success) return parsed.output;
    throw unreadable(this.#index, parsed.issues.map(({ message }) => message).join('; '));
  }

  end(): void {
    if (this.#position !== this.#bytes.byteLength) throw unreadable(this.#index, 'it does not end');
  }
}

function unreadable(index: number, why: string): StepStateError {
  return new StepStateError(`The profile of range ${index} cannot be read: ${why}`);
}
