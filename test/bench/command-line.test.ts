import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../bench/command-line.ts';
import type { Measure, MeasureName } from '../../bench/measure.ts';
import { RESULTS_FILE } from '../../bench/results.ts';
import { runMeasures } from '../../bench/run-measures.ts';
import { renderTable } from '../../bench/table.ts';

function measure(name: MeasureName, run: Measure['run']): Measure {
  return { name, summary: `measures ${name}`, run };
}

const post = measure('post', async () => ({
  figures: [
    {
      name: 'processor time',
      unit: 'µs/post',
      value: 81.23,
      spread: 2.5,
      baseline: { name: 'SDK', value: 812.3 },
      ratio: 0.1,
    },
  ],
  ratios: { cpuOursToSdk: 0.1, rateOursToUnsigned: 0.35 },
}));
const coldStart = measure('coldStart', async () => ({ figures: [], ratios: { worst: 0 / 0 } }));
const known = [post, coldStart];
const quietly = { quick: true, signal: new AbortController().signal, log: () => {} };

describe('the command line of npm run bench', () => {
  it('runs everything, or what is named, and says what to type for it', () => {
    expect(readCommandLine([], known)).toEqual({
      kind: 'run',
      measures: known,
      quick: false,
      file: RESULTS_FILE,
      command: 'npm run bench',
    });
    expect(readCommandLine(['cold-start', '--out', 'some.json'], known)).toEqual({
      kind: 'run',
      measures: [coldStart],
      quick: false,
      file: path.resolve('some.json'),
      command: 'npm run bench -- cold-start',
    });
  });

  it('writes nothing of tiny loads unless a file is named', () => {
    expect(readCommandLine(['--quick'], known)).toMatchObject({ quick: true, file: undefined });
  });

  it('names what it does not know', () => {
    expect(readCommandLine(['latency'], known)).toEqual({
      kind: 'refused',
      problem: 'There is no measure latency: choose of post, cold-start',
    });
    expect(readCommandLine(['--fast'], known)).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining("'--fast'"),
    });
    expect(readCommandLine(['--out', ''], known)).toMatchObject({ kind: 'refused' });
  });

  it('lists the measures in its help', () => {
    expect(readCommandLine(['--help'], known)).toMatchObject({
      kind: 'help',
      text: expect.stringContaining('  cold-start    measures coldStart\n'),
    });
  });
});

describe('a run of measures', () => {
  it('goes on behind one that fails, and takes no figure that is no number', async () => {
    const { outcomes, failures } = await runMeasures([coldStart, post], quietly);
    expect([...outcomes.keys()]).toEqual(['post']);
    expect(String(failures.get('coldStart'))).toContain('worst came out as no number');
  });

  it('ends with what there is when it is interrupted', async () => {
    const interruption = new AbortController();
    const interrupted = measure('publish', async () => {
      interruption.abort(new Error('Ctrl-C'));
      throw interruption.signal.reason;
    });
    const all = [post, interrupted, coldStart];
    const { outcomes, failures } = await runMeasures(all, { ...quietly, signal: interruption.signal });
    expect([...outcomes.keys()]).toEqual(['post']);
    expect(failures.size).toBe(0);
  });

  it('ends in one table, with what is asked of each ratio', async () => {
    const { outcomes } = await runMeasures([post], quietly);
    expect(renderTable(outcomes, { quick: false }).split('\n')).toEqual([
      'measure  figure                          value    ±  beside           its value  ratio',
      '───────  ───────────────────────  ────────────  ───  ─────────────  ───────────  ─────',
      'post     processor time           81.2 µs/post  2.5  SDK            812 µs/post    0.1',
      '         post.cpuOursToSdk                 0.1       at most 0.125      reached',
      '         post.rateOursToUnsigned          0.35       at least 0.4        MISSED',
    ]);
  });

  it('does not judge tiny loads', async () => {
    const { outcomes } = await runMeasures([post], { ...quietly, quick: true });
    const table = renderTable(outcomes, { quick: true });
    expect(table).toContain('post.rateOursToUnsigned');
    expect(table).not.toMatch(/reached|MISSED/);
  });
});
