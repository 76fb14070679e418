import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MeasureName, MeasureOutcome } from '../../bench/measure.ts';
import { mergeResults, type Run, readResults, writeResults } from '../../bench/results.ts';

const outcome = (value: number): MeasureOutcome => ({
  figures: [{ name: 'time', unit: 'ms', value, baseline: { name: 'theirs', value: 2 * value }, ratio: 0.5 }],
  ratios: { oursToTheirs: 0.512345 },
});

const run = (outcomes: readonly (readonly [MeasureName, MeasureOutcome])[], at: string): Run => ({
  machine: 'two cores',
  versions: { node: '24.0.0' },
  at: new Date(at),
  command: 'npm run bench',
  quick: false,
  outcomes: new Map(outcomes),
});

describe('the results file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'jobwire-results-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('keeps the measures that a run leaves out, each with its own time and command', async () => {
    const file = path.join(folder, 'results.json');
    const first = run(
      [
        ['post', outcome(1)],
        ['latency', outcome(2)],
      ],
      '2026-01-01T00:00:00.000Z',
    );
    await writeResults(file, mergeResults(await readResults(file), first));
    const second = run([['post', outcome(2.34567)]], '2026-02-02T00:00:00.000Z');
    await writeResults(file, mergeResults(await readResults(file), second));
    const results = await readResults(file);
    expect(results?.at).toBe('2026-02-02T00:00:00.000Z');
    expect(results?.measures.latency?.at).toBe('2026-01-01T00:00:00.000Z');
    expect(results?.measures.latency?.command).toBe('npm run bench -- latency');
    expect(results?.measures.post?.figures[0]?.value).toBe(2.346);
    expect(results?.measures.post?.ratios).toEqual({ oursToTheirs: 0.5123 });
  });

  it('does not touch a file that is not one of results', async () => {
    const file = path.join(folder, 'package.json');
    for (const [text, why] of [
      ['{"name":"jobwire"}', /package\.json is not a file of results: machine/],
      ['no JSON', /it is not JSON/],
    ] as const) {
      await writeFile(file, text);
      await expect(readResults(file)).rejects.toThrow(why);
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });

  it('is none at first', async () => {
    expect(await readResults(path.join(folder, 'none.json'))).toBeUndefined();
  });
});
