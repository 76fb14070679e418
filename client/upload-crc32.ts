import { bytesOf } from './upload-reading.ts';

/** How much of a file is read at once, in bytes: some milliseconds of work, so that a page stays alive. */
const PIECE_BYTES = 1_048_576;

/** The polynomial of CRC-32 (ISO-HDLC), reversed, which S3 means by CRC32. */
const POLYNOMIAL = 0xed_b8_83_20;

const TABLE = /* @__PURE__ */ makeTable();

/**
 * The CRC-32 of a file as S3 writes it: four bytes, the highest first, in base64.
 * @throws the signal's reason; UnreadableFileError.
 */
export async function crc32Of(file: Blob, signal: AbortSignal): Promise<string> {
  let crc = -1;
  for (let start = 0; start < file.size; start += PIECE_BYTES) {
    signal.throwIfAborted();
    const bytes = await bytesOf(file.slice(start, start + PIECE_BYTES));
    for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 255] ?? 0);
  }
  const value = ~crc;
  return btoa(String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255));
}

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, index) => {
    let crc = index;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
}
