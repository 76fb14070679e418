import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ContradictedError } from '../../bench/choosing.ts';
import { CHOOSING_FIGURES } from '../../bench/choosing-figures.ts';
import { figureOf, MissingFigureError } from '../../bench/figures.ts';
import type { Figure } from '../../bench/measure.ts';
import { MEASURED_DOCUMENTS, MeasuredDocumentError, withMeasured } from '../../bench/measured-documents.ts';
import { MEASURES } from '../../bench/measures.ts';
import { ROWS } from '../../bench/readme-table.ts';
import { MEASURE_NAMES, RESULTS_FILE, type Results, readResults } from '../../bench/results.ts';

const HEAD = {
  machine: 'two cores, load 1',
  at: '2026-01-01T00:00:00.000Z',
  command: 'npm run bench',
};

const PLACE =
  'above\n<!-- measured: written by npm run bench -- --readme -->\n<!-- end of measured -->\nbelow\n';

/** Every figure that a document shows, as long as nothing else is said. */
function complete(said: Readonly<Record<string, Partial<Figure>>> = {}): Results {
  const broadcast = [
    ['broadcast: signed posts and a send loop', 'frames/s', 8_000],
    ['broadcast profile: gateway', '%', 10],
    ['broadcast profile: HTTP and sockets', '%', 40],
    ['broadcast profile: signature and permission', '%', 20],
  ] as const;
  const measures = MEASURE_NAMES.map((measure) => {
    const rows = ROWS.filter((row) => row.measure === measure).map(
      ({ figure, beside }): Figure => ({
        name: figure,
        unit: 'ms',
        value: 1,
        baseline: { name: beside ?? 'theirs', value: 2 },
        ...said[figure],
      }),
    );
    const more = broadcast.map(([name, unit, value]): Figure => ({ name, unit, value, ...said[name] }));
    const choosing = CHOOSING_FIGURES.filter((one) => one.measure === measure).map(
      ({ figure }): Figure => ({ name: figure, unit: '', value: 1, ...said[figure] }),
    );
    const named = new Set(choosing.map(({ name }) => name));
    const figures = [
      ...(measure === 'connections' ? more : choosing),
      ...rows.filter(({ name }) => !named.has(name)),
    ];
    return [measure, { ...HEAD, figures, ratios: {} }] as const;
  });
  // An entry a measure.
  return {
    ...HEAD,
    versions: {},
    quick: false,
    measures: Object.fromEntries(measures) as Results['measures'],
  };
}

describe('the figures of documents', () => {
  it.each(MEASURED_DOCUMENTS)('of %s are those of bench/results.json', async (document) => {
    const text = await readFile(new URL(`../../${document}`, import.meta.url), 'utf8');
    const results = await readResults(RESULTS_FILE);
    expect(text, 'npm run bench -- --readme writes them').toBe(withMeasured(document, text, results));
  });

  it('stand in the README with their baseline, the command and the machine', () => {
    const text = withMeasured(
      'README.md',
      PLACE,
      complete({
        'pushed, 100 changes/s: p50': { value: 11.26, baseline: { name: 'polled every 1 s', value: 500 } },
        'pushed, 100 changes/s: p99': { value: 1234.5 },
      }),
    );
    expect(text).toContain('On two cores (`bench/results.json`, 2026-01-01)');
    expect(text).toContain('| 11.3 ms | 500 ms (polled every 1 s) | `npm run bench -- latency` |');
    expect(text).toContain('| 1,235 ms |');
    for (const { words } of ROWS) expect(text).toContain(`| ${words} |`);
    expect(text).toMatch(/^above\n.*\nbelow\n$/s);
  });

  it('say in docs/scale.md what a broadcast spends its time on, the most first', () => {
    const rate = { baseline: { name: 'bare ws', value: 50_000 } };
    const text = withMeasured(
      'docs/scale.md',
      PLACE,
      complete({ 'broadcast: signed posts and a send loop': rate }),
    );
    expect(text).toContain('tells 8,000 frames/s; bare ws, which only sends, tells 50,000 frames/s.');
    expect(text).toMatch(/HTTP and sockets \| 40 %.*signature and permission \| 20 %.*gateway \| 10 %/s);
    expect(text).toContain('Signing and HTTP are 60 % of it, more than all else together');
  });

  it('say in docs/choosing.md what each way took and what follows, as long as it does', () => {
    const places = PLACE.repeat(4);
    const said: Readonly<Record<string, Partial<Figure>>> = {
      'size of the file': { value: 1_000, unit: 'MB' },
      'lambda: time to result': { value: 30, unit: 's' },
      'lambda: time of all functions together': { value: 29, unit: 's' },
      'step-functions: downloads of the object': { value: 9 },
      '1 watchers, broker: requests in the life of a job': { value: 60 },
      '100 watchers, polled every 2 s: requests in the life of a job': { value: 3_000 },
      '100 watchers, polled every 2 s: last told': { value: 2_000, unit: 'ms' },
      '10000 watchers, broker: requests in the life of a job': { value: 60 },
      '10000 watchers, WebSocket: last told': { value: 500, unit: 'ms' },
    };
    const write = (where: string, more: typeof said = {}) =>
      withMeasured('docs/choosing.md', where, complete({ ...said, ...more }));
    const text = write(places);
    expect(text).toContain('done in 15 minutes, here 30 GB');
    expect(text).toContain('fetched the object 9 times instead of once');
    expect(text).toMatch(/10,000 watchers are 60 requests .* instead of 500 ms/);
    expect(text).toMatch(/^\| processing \| `step-functions-efs` \| .* \| \$12\d,\d{3} \|/m); // EFS, above all
    expect(() => write(PLACE.repeat(3))).toThrow(MeasuredDocumentError);
    const slow = { '10000 watchers, broker: last told': { value: 900, unit: 'ms' } };
    expect(() => write(places, slow)).toThrow(ContradictedError);
    expect(() => write(places, slow)).toThrow('says that a broker tells a crowd sooner');
  });

  it('are asked for, with the command, where they are not', () => {
    const whole = complete();
    const { latency: _, coldStart: __, ...measures } = whole.measures;
    const write = (results: Results | undefined) => () => withMeasured('README.md', PLACE, results);
    expect(write({ ...whole, measures })).toThrow(
      'bench/results.json has no figures of latency, coldStart: run npm run bench -- latency cold-start, then npm run bench -- --readme',
    );
    expect(write(undefined)).toThrow(': run npm run bench, then npm run bench -- --readme');
    expect(write({ ...whole, quick: true })).toThrow('are of tiny loads: run npm run bench');
    expect(() => withMeasured('README.md', 'no marks', whole)).toThrow(MeasuredDocumentError);
    expect(() => figureOf(whole, 'latency', 'none')).toThrow(MissingFigureError);
  });

  it('are of all measures that there are', () => {
    expect(MEASURES.map(({ name }) => name)).toEqual(MEASURE_NAMES);
    expect([...new Set(ROWS.map(({ measure }) => measure))].toSorted()).toEqual(MEASURE_NAMES.toSorted());
  });
});
