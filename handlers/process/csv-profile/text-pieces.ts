import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ProcessingError } from '../processor.ts';

/**
 * A piece of the file as text. Pieces may end anywhere but within a character; where they end depends on the bytes
 * alone and not on the chunks in which these arrive, so that everything that is made of pieces, errors too, is the
 * same for the same bytes.
 */
export interface TextPiece {
  readonly text: string;
  /** Bytes of the file up to the end of this piece. */
  readonly bytes: number;
  /** Whether the file began with a byte order mark, which is no part of the text. */
  readonly byteOrderMark: boolean;
}

/** So many bytes become text at once. */
const PIECE_BYTES = 16 * 1024;

/** So often, in bytes, timers and sockets get their turn, even where the stream has everything in memory. */
const TURN_BYTES = 1024 * 1024;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** How common files begin that are not CSV, to say what they are. All but the last hold bytes no text has. */
const SIGNATURES: readonly { readonly bytes: readonly number[]; readonly what: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'a ZIP archive, or a spreadsheet such as .xlsx' },
  { bytes: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG image' },
  { bytes: [0xff, 0xd8, 0xff], what: 'a JPEG image' },
  { bytes: [0x1f, 0x8b], what: 'a gzip archive' },
  { bytes: [0x25, 0x50, 0x44, 0x46, 0x2d], what: 'a PDF document' },
  { bytes: [0x50, 0x41, 0x52, 0x31], what: 'a Parquet file' },
  { bytes: [0xff, 0xfe], what: 'UTF-16 text; save it as UTF-8' },
  { bytes: [0xfe, 0xff], what: 'UTF-16 text; save it as UTF-8' },
];

/**
 * Decodes a stream of bytes. `isBeginning` is false for bytes from within a file, whose first bytes say nothing.
 * @throws ProcessingError `not-csv` for what is not UTF-8 text; whatever the stream fails with.
 */
export async function* textPieces(
  body: Readable,
  signal: AbortSignal,
  isBeginning = true,
): AsyncGenerator<TextPiece> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const beginning = new Beginning(isBeginning);
  const blocks = new Blocks();
  let bytes = 0;
  let nextTurnAt = TURN_BYTES;
  const pieceOf = (block: Uint8Array, stream: boolean): TextPiece => {
    const text = decode(decoder, block, beginning.skipped + bytes, stream);
    bytes += block.byteLength;
    return { text, bytes: beginning.skipped + bytes, byteOrderMark: beginning.skipped > 0 };
  };
  for await (const chunk of body) {
    for (const block of blocks.take(beginning.take(bytesOf(chunk)))) {
      signal.throwIfAborted();
      yield pieceOf(block, true);
      if (bytes >= nextTurnAt) {
        nextTurnAt = bytes + TURN_BYTES;
        await nextTurn();
      }
    }
  }
  signal.throwIfAborted();
  for (const block of blocks.take(beginning.end())) yield pieceOf(block, true);
  yield pieceOf(blocks.end(), false);
}

/** Cuts bytes to equal blocks. A block is valid until the next one is asked for. */
class Blocks {
  readonly #held = new Uint8Array(PIECE_BYTES);
  #length = 0;

  *take(data: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    while (data.byteLength - start >= PIECE_BYTES - this.#length) {
      const end = start + PIECE_BYTES - this.#length;
      if (this.#length === 0) yield data.subarray(start, end);
      else {
        this.#held.set(data.subarray(start, end), this.#length);
        this.#length = 0;
        yield this.#held;
      }
      start = end;
    }
    this.#held.set(data.subarray(start), this.#length);
    this.#length += data.byteLength - start;
  }

  /** What is left, less than a block. */
  end(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }
}

/** Holds back the first bytes until they show what the file is. */
class Beginning {
  skipped = 0;
  #held: Uint8Array | undefined;

  constructor(isBeginning: boolean) {
    this.#held = isBeginning ? new Uint8Array() : undefined;
  }

  take(chunk: Uint8Array): Uint8Array {
    if (this.#held === undefined) return chunk;
    this.#held = Buffer.concat([this.#held, chunk]);
    return this.#held.byteLength < 8 ? new Uint8Array() : this.end();
  }

  end(): Uint8Array {
    const held = this.#held ?? new Uint8Array();
    this.#held = undefined;
    for (const { bytes, what } of SIGNATURES) {
      if (startsWith(held, bytes)) throw notCsv(`The file is ${what}.`);
    }
    if (!startsWith(held, BYTE_ORDER_MARK)) return held;
    this.skipped = BYTE_ORDER_MARK.length;
    return held.subarray(BYTE_ORDER_MARK.length);
  }
}

function startsWith(data: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => data[index] === byte);
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('the body must be a stream of bytes');
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  data: Uint8Array,
  offset: number,
  stream: boolean,
): string {
  const nul = data.indexOf(0);
  if (nul !== -1)
    throw notCsv(`Byte ${offset + nul} is NUL, which no text has: the file is binary or UTF-16.`);
  try {
    return decoder.decode(data, { stream });
  } catch (cause) {
    throw notCsv(
      `Around byte ${offset} the file is not UTF-8: it is binary, or of another encoding. Save it as UTF-8.`,
      cause,
    );
  }
}

/** The error of every file that cannot be taken for CSV. */
export function notCsv(detail: string, cause?: unknown): ProcessingError {
  return new ProcessingError(
    { code: 'not-csv', title: 'The file is not CSV', detail, retryable: false },
    cause === undefined ? undefined : { cause },
  );
}
