import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ReadmeError, withMeasuredTable } from '../../bench/readme-table.ts';
import { RESULTS_FILE, type Results, readResults } from '../../bench/results.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const empty: Results = {
  machine: 'two cores, load 1',
  versions: {},
  at: '2026-01-01T00:00:00.000Z',
  command: 'npm run bench',
  quick: false,
  measures: {},
};
const latency = (figures: Results['measures']['latency']) => ({ ...empty, measures: { latency: figures } });

describe('the figures of the README', () => {
  it('are those of bench/results.json, which npm run bench -- --readme writes there', async () => {
    const results = await readResults(RESULTS_FILE);
    expect(results).toBeDefined();
    expect(results?.quick, 'tiny loads say nothing of speed').toBe(false);
    if (results !== undefined) expect(withMeasuredTable(readme, results)).toBe(readme);
  });

  it('stand with their baseline, the command and the machine', () => {
    const figure = (name: string, value: number) => ({
      name: `pushed, 100 changes/s: ${name}`,
      unit: 'ms',
      value,
      baseline: { name: 'polled every 1 s', value: 500 },
    });
    const text = withMeasuredTable(
      readme,
      latency({ ...empty, figures: [figure('p50', 11.26), figure('p99', 1234.5)], ratios: {} }),
    );
    expect(text).toContain('On two cores (');
    expect(text).toContain('| 11.3 ms | 500 ms (polled every 1 s) | `npm run bench -- latency` |');
    expect(text).toContain('| 1,235 ms |');
  });

  it('are asked for where they are not', () => {
    expect(() => withMeasuredTable(readme, latency({ ...empty, figures: [], ratios: {} }))).toThrow(
      'no figure "pushed, 100 changes/s: p50"',
    );
    expect(() => withMeasuredTable('no marks', empty)).toThrow(ReadmeError);
  });
});
