import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const HEADER = 'id,station,measured_at,temperature,humidity,status,comment\n';

/** Rows that are written again and again: some 64 MB, so that a large file has hundreds of thousands of values. */
const ROWS_OF_A_BLOCK = 850_000;

/**
 * Writes a CSV file of at least so many bytes, and no more than a row above: measurements in seven columns, of rows of
 * some 75 bytes. The same for the same size.
 */
export async function writeCsv(file: string, bytes: number): Promise<void> {
  const rows = Math.min(ROWS_OF_A_BLOCK, Math.ceil(bytes / HEADER.length));
  const block = Buffer.from(Array.from({ length: rows }, (_, index) => row(index)).join(''));
  const output = createWriteStream(file);
  let left = bytes - HEADER.length;
  output.write(HEADER);
  while (left > 0) {
    const end = left >= block.length ? block.length : block.indexOf('\n', left) + 1;
    if (!output.write(block.subarray(0, end))) await once(output, 'drain');
    left -= end;
  }
  output.end();
  await once(output, 'close');
}

function row(index: number): string {
  const noise = (Math.imul(index, 2_654_435_761) >>> 0) / 2 ** 32;
  const time = new Date(1_700_000_000_000 + index * 1_000).toISOString();
  const comment = index % 50 === 0 ? '"said ""ok"", moved on"' : '';
  return `${index},station-${index % 97},${time},${(noise * 60 - 20).toFixed(2)},${(noise * 100).toFixed(1)},${index % 7 === 0 ? 'late' : 'fine'},${comment}\n`;
}
