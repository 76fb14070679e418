import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';

const HEADER = 'id,station,measured_at,temperature,humidity,status,comment\n';

/** A row of about 75 bytes and the remark; the same for the same number. */
function row(index: number, remark = ''): string {
  const noise = (Math.imul(index, 2_654_435_761) >>> 0) / 2 ** 32;
  const time = new Date(1_700_000_000_000 + index * 1000).toISOString();
  const comment = index % 50 === 0 ? '"said ""ok"", moved on"' : remark;
  return `${index},station-${index % 97},${time},${(noise * 60 - 20).toFixed(2)},${(noise * 100).toFixed(1)},${index % 7 === 0 ? 'late' : 'fine'},${comment}\n`;
}

/** A CSV of that many rows, in memory; most of them with that remark, which must need no quotes. */
export function csvRows(count: number, remark = ''): Uint8Array<ArrayBuffer> {
  const lines = [HEADER];
  for (let index = 0; index < count; index += 1) lines.push(row(index, remark));
  return new TextEncoder().encode(lines.join(''));
}

/** Makes rows half as many and twice as long: what takes time to profile is values, not bytes. */
const REMARK = 'both sensors agreed within the tolerance of the instrument at that time';

/** Writes a CSV of at least `bytes` to a file. Answers with its size and rows. */
export async function writeLargeCsv(
  file: string,
  bytes: number,
): Promise<{ readonly size: number; readonly rows: number }> {
  const output = createWriteStream(file);
  output.write(HEADER);
  let written = 0;
  let rows = 0;
  while (written < bytes) {
    const lines: string[] = [];
    for (let index = 0; index < 5_000; index += 1) lines.push(row(rows + index, REMARK));
    rows += 5_000;
    const chunk = lines.join('');
    written += chunk.length;
    if (!output.write(chunk)) await once(output, 'drain');
  }
  output.end();
  await once(output, 'close');
  return { size: (await stat(file)).size, rows };
}
