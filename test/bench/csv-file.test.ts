import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCsv } from '../../bench/csv-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-csv-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(bytes: number): Promise<string> {
  const file = path.join(folder, `${bytes}.csv`);
  await writeCsv(file, bytes);
  return readFile(file, 'utf8');
}

describe('the file that benchmarks process', () => {
  it.each([100, 5_000, 1_000_000])('has %i bytes, and ends with a whole row', async (bytes) => {
    const text = await written(bytes);
    expect(text.length).toBeGreaterThanOrEqual(bytes);
    expect(text.length).toBeLessThan(bytes + 120);
    const rows = text.trimEnd().split('\n');
    expect(text.endsWith('\n')).toBe(true);
    const fields = rows.map((row) => row.replaceAll(/"[^"]*"/g, '').split(',').length);
    expect(new Set(fields)).toEqual(new Set([7]));
  });

  it('is the same each time', async () => {
    expect(await written(20_000)).toBe(await written(20_000));
  });
});
