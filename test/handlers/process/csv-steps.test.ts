import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Plan, planFromText, planToText } from '../../../handlers/process/csv-profile/plan.ts';
import { PROFILING_LIMITS } from '../../../handlers/process/csv-profile/profiling-limits.ts';
import { StepStateError } from '../../../handlers/process/csv-profile/step-state-error.ts';
import {
  inspect,
  mergeProfiles,
  profileRange,
  type StepProgress,
} from '../../../handlers/process/csv-profile/steps.ts';
import { column, documentOf, partialOf, planOf, resultInOnePass, resultInSteps } from './profile-of.ts';

const LIMITS = { ...PROFILING_LIMITS, rangeBytes: 50 };
const FILE = Buffer.from(
  `\ufeff\n\nname,size\n${Array.from({ length: 40 }, (_, row) => `"né\n${row % 7}",${row}\n`).join('')}oh\n`,
);

async function stepsOf(file: Uint8Array): Promise<{ plan: Plan; partials: readonly Uint8Array[] }> {
  const plan = await planOf(file, LIMITS);
  return { plan, partials: await Promise.all(plan.ranges.map((_, index) => partialOf(file, plan, index))) };
}

describe('the plan', () => {
  test('has all of the result but the figures of columns', async () => {
    const { ranges, ...plan } = await planOf(FILE, LIMITS);
    expect(plan).toEqual({
      format: 'jobwire.csv-plan.v1',
      size: FILE.byteLength,
      byteOrderMark: true,
      dialect: { delimiter: ',', newline: '\n', header: true, width: 2 },
      recordCharacters: 1024 * 1024,
      headerRange: 0,
      names: ['name', 'size'],
      rows: 40,
      blankLines: 2,
      malformed: { count: 1, samples: [{ line: 84, reason: 'field-count', excerpt: 'oh' }] },
    });
    expect(ranges[0]).toMatchObject({ from: 3, line: 1 });
    expect(ranges.at(-1)?.to).toBe(FILE.byteLength);
    expect(ranges.reduce((sum, { rows }) => sum + rows, 0)).toBe(40);
    for (const { from, line } of ranges.slice(1)) {
      expect(FILE.subarray(from, from + 4).toString()).toBe('"né');
      expect(FILE.subarray(0, from).toString().split('\n')).toHaveLength(line);
    }
  });

  test('a small file has one range; a large one never more than the most', async () => {
    expect((await planOf(FILE, PROFILING_LIMITS)).ranges).toHaveLength(1);
    expect((await planOf(FILE, { ...LIMITS, rangeBytes: 1, mostRanges: 5 })).ranges).toHaveLength(5);
    expect((await planOf(FILE, { ...LIMITS, rangeBytes: 1, mostRanges: 1 })).ranges).toHaveLength(1);
  });

  test('a header behind more blank lines than a range takes', async () => {
    const file = Buffer.from(`${'\n'.repeat(120)}name,size\nx,1\ny,2\n`);
    const plan = await planOf(file, LIMITS);
    expect(plan.headerRange).toBe(2);
    expect(documentOf(await resultInSteps(file, LIMITS))).toMatchObject({ rows: 2, blankLines: 120 });
  });

  test('what is no plan is refused, and says where', async () => {
    const plan = await planOf(FILE, LIMITS);
    expect(planFromText(planToText(plan))).toEqual(plan);
    expect(() => planFromText('{')).toThrow(StepStateError);
    expect(() => planFromText(planToText(plan).replace('plan.v1', 'plan.v2'))).toThrow(/format/);
    expect(() => planFromText(planToText({ ...plan, ranges: [] }))).toThrow(/ranges/);
  });
});

describe('steps', () => {
  test('tell how many bytes and rows they have read', async () => {
    const seen: StepProgress[] = [];
    const step = (bytes: Uint8Array) => ({
      body: Readable.from([bytes], { objectMode: false }),
      signal: new AbortController().signal,
      report: (progress: StepProgress) => void seen.push(progress),
    });
    const plan = await inspect({ ...step(FILE), size: FILE.byteLength, limits: LIMITS });
    expect(seen.at(-1)?.bytes).toBe(FILE.byteLength);
    const range = plan.ranges[1];
    await profileRange(step(FILE.subarray(range?.from, range?.to)), plan, 1);
    expect(seen.at(-1)?.bytes).toBe((range?.to ?? 0) - (range?.from ?? 0));
  });

  test('stop with the reason of the signal', async () => {
    const reason = new Error('cancelled');
    const step = {
      body: Readable.from([FILE], { objectMode: false }),
      signal: AbortSignal.abort(reason),
      report: () => undefined,
    };
    await expect(inspect({ ...step, size: FILE.byteLength })).rejects.toBe(reason);
    await expect(profileRange(step, await planOf(FILE, LIMITS), 0)).rejects.toBe(reason);
  });

  test('a range of other bytes than were inspected is noticed', async () => {
    const plan = await planOf(FILE, LIMITS);
    const { from, to } = plan.ranges[1] ?? { from: 0, to: 0 };
    const others = [
      FILE.subarray(from, to - 1),
      Buffer.from(FILE.subarray(from, to).toString().replaceAll(',', ';')),
      Buffer.alloc(to - from, 0xff),
      Buffer.alloc(to - from),
    ];
    for (const bytes of others) {
      const body = Readable.from([bytes], { objectMode: false });
      const { signal } = new AbortController();
      const profiled = profileRange({ body, signal, report: () => undefined }, plan, 1);
      await expect(profiled).rejects.toThrow(StepStateError);
    }
    await expect(partialOf(FILE, plan, 99)).rejects.toThrow(/no range 99/);
  });

  test('one range after another; in another order, one less, or one more is noticed', async () => {
    const { plan, partials } = await stepsOf(FILE);
    const merged = await mergeProfiles(plan, partials, 'table.csv');
    expect(merged).toEqual(await resultInOnePass([FILE], LIMITS));
    for (const wrong of [[], partials.slice(1), partials.slice(0, -1), [...partials, ...partials]]) {
      await expect(mergeProfiles(plan, wrong, 'table.csv')).rejects.toThrow(StepStateError);
    }
  });

  test('a damaged profile of a range is noticed, wherever it is cut or longer', async () => {
    const { plan, partials } = await stepsOf(FILE);
    const [first = new Uint8Array(), ...others] = partials;
    const damaged = [
      ...Array.from(first, (_, length) => first.subarray(0, length)),
      Buffer.concat([first, Buffer.of(0)]),
      Buffer.from(Buffer.from(first).toString('latin1').replace('range.v1', 'range.v2'), 'latin1'),
      Buffer.from(Buffer.from(first).toString('latin1').replace('counted', 'discounted'), 'latin1'),
    ];
    for (const bytes of damaged) {
      await expect(mergeProfiles(plan, [bytes, ...others], 'table.csv')).rejects.toThrow(StepStateError);
    }
  });
});

describe('estimates over ranges', () => {
  const rows = 30_000;
  const textOf = (row: number) =>
    row % 4 === 0 ? 'hot' : row > 20_000 && row % 5 === 1 ? 'late' : `cold ${row}`;
  const file = Buffer.from(
    Array.from({ length: rows }, (_, row) => `${row},${textOf(row)},${row % 3_000},same\n`).join(''),
  );
  const limits = { ...PROFILING_LIMITS, rangeBytes: 100_000 };

  test('are the same in steps, and as good as without ranges', async () => {
    const result = await resultInSteps(file, limits);
    expect(result).toEqual(await resultInOnePass([file], limits));
    const profile = documentOf(result);
    const id = column(profile, 'column 1');
    expect(id).toMatchObject({ type: 'integer', min: 0, max: rows - 1, mean: (rows - 1) / 2, count: rows });
    expect(Math.abs(id.distinct.value / rows - 1)).toBeLessThan(0.03);
    const counts = new Map<string, number>();
    for (let row = 0; row < rows; row += 1) counts.set(textOf(row), (counts.get(textOf(row)) ?? 0) + 1);
    const { frequent } = column(profile, 'column 2');
    expect(frequent.values.slice(0, 2).map(({ value }) => value)).toEqual(['hot', 'late']);
    for (const { value, count, atMost = count } of frequent.values) {
      expect(count).toBeLessThanOrEqual(counts.get(value) ?? 0);
      expect(atMost).toBeGreaterThanOrEqual(counts.get(value) ?? 0);
    }
  });

  test('few different values are counted exactly, however many ranges they are in', async () => {
    const profile = documentOf(await resultInSteps(file, limits));
    expect(column(profile, 'column 3').distinct).toEqual({ value: 3_000, exact: true });
    expect(column(profile, 'column 4').frequent).toEqual({
      exact: true,
      values: [{ value: 'same', count: rows }],
    });
  });
});
