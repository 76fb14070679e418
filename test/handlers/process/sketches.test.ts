import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ColumnStatistics } from '../../../handlers/process/csv-profile/column-statistics.ts';
import { DistinctEstimate } from '../../../handlers/process/csv-profile/distinct-estimate.ts';
import { CELLS, FrequentEstimate } from '../../../handlers/process/csv-profile/frequent-estimate.ts';
import { hashOf } from '../../../handlers/process/csv-profile/text-hash.ts';

describe('DistinctEstimate', () => {
  // A standard error of 0.81 %: all of these within two and a half.
  test.each([0, 1, 10, 1_000, 10_000, 40_000, 50_000, 300_000, 1_000_000])('%i different values', (count) => {
    const estimate = new DistinctEstimate();
    for (let value = 0; value < count; value += 1) {
      const hash = hashOf(`value ${value}`);
      estimate.add(hash);
      estimate.add(hash);
    }
    expect(Math.abs(estimate.value - count)).toBeLessThanOrEqual(0.02 * count);
  });

  test('short, similar and numeric texts are spread as well', () => {
    for (const textOf of [
      (n: number) => String(n),
      (n: number) => `${n}.000`,
      (n: number) => n.toString(36),
    ]) {
      const estimate = new DistinctEstimate();
      for (let value = 0; value < 100_000; value += 1) estimate.add(hashOf(textOf(value)));
      expect(Math.abs(estimate.value / 100_000 - 1)).toBeLessThan(0.025);
    }
  });
});

function count(sketch: FrequentEstimate, value: string): void {
  if (!sketch.addWatched(value)) sketch.addUnwatched(hashOf(value), () => value);
}

describe('FrequentEstimate', () => {
  test('what it says of a value is never wrong', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 30 })), { maxLength: 200 }),
        fc.integer({ min: 1, max: 12 }),
        (runs, capacity) => {
          const sketch = new FrequentEstimate(capacity);
          const counts = new Map<string, number>();
          for (const [value, times] of runs) {
            for (let time = 0; time < times; time += 1) count(sketch, `value ${value}`);
            counts.set(`value ${value}`, (counts.get(`value ${value}`) ?? 0) + times);
          }
          expect(sketch.watched.length).toBe(Math.min(capacity, counts.size));
          for (const { key, atLeast, atMost } of sketch.watched) {
            expect(atLeast).toBeLessThanOrEqual(counts.get(key) ?? 0);
            expect(atMost).toBeGreaterThanOrEqual(counts.get(key) ?? 0);
          }
        },
      ),
    );
  });

  test('seeded with exact counts, what it says is never wrong either', () => {
    const seeds = [...Array(30).keys()].map((value) => [`value ${value}`, 100 - value] as const);
    const sketch = new FrequentEstimate(10);
    for (const [key, times] of seeds) sketch.seed(key, hashOf(key), times);
    for (let time = 0; time < 500; time += 1) count(sketch, 'value 25');
    const found = sketch.watched.find(({ key }) => key === 'value 25');
    expect(found?.atLeast).toBeLessThanOrEqual(575);
    expect(found?.atMost).toBeGreaterThanOrEqual(575);
  });

  test('a value that becomes frequent late is found, and ever new values do not push it out', () => {
    const sketch = new FrequentEstimate(50);
    for (let value = 0; value < 20_000; value += 1) count(sketch, `early ${value}`);
    for (let value = 0; value < 20_000; value += 1) {
      count(sketch, `new ${value}`);
      if (value % 20 === 0) count(sketch, 'late');
    }
    for (let value = 0; value < 20_000; value += 1) count(sketch, `newer ${value}`);
    const [first] = sketch.watched;
    expect(first?.key).toBe('late');
    expect(first?.atLeast).toBeGreaterThan(900);
    expect(first?.atLeast).toBeLessThanOrEqual(1_000);
    expect(first?.atMost).toBeGreaterThanOrEqual(1_000);
  });
});

describe('statistics of parts, merged', () => {
  function statisticsOf(values: readonly string[]): ColumnStatistics {
    const statistics = new ColumnStatistics();
    for (const value of values) statistics.add(value, 1);
    return statistics;
  }

  test('have the mean to the last digit, and what is lost in one part is not lost', () => {
    const merged = statisticsOf(['1e16', '1']);
    merged.merge(statisticsOf(['-1e16', '1']));
    expect(merged.figures).toEqual({ min: -1e16, max: 1e16, mean: 0.5 });
  });

  test('have extremes, types and the longest as of all values together', () => {
    const texts = ['2020-01-02', '2019-05-05', 'x', '7', '-3.5', 'true', '2021-01-01T00:00', 'zzzz', '007'];
    const value = fc.constantFrom(...texts);
    fc.assert(
      fc.property(fc.array(fc.array(value, { maxLength: 4 }), { minLength: 1 }), (parts) => {
        const merged = new ColumnStatistics();
        for (const part of parts) merged.merge(new ColumnStatistics(statisticsOf(part).state));
        expect(merged.state).toEqual(statisticsOf(parts.flat()).state);
      }),
    );
  });
});

describe('estimates of parts, merged', () => {
  const parts = fc.array(fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 30 })), { maxLength: 60 }), {
    minLength: 2,
    maxLength: 6,
  });

  test('DistinctEstimate: exactly as if all had been counted by one', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(100_000)), { minLength: 1 }), (lists) => {
        const all = new DistinctEstimate();
        const merged = new DistinctEstimate();
        for (const list of lists) {
          const part = new DistinctEstimate();
          for (const value of list) {
            all.add(hashOf(String(value)));
            part.add(hashOf(String(value)));
          }
          merged.merge(new DistinctEstimate(part.registers));
        }
        expect(merged.registers).toEqual(all.registers);
        expect(merged.value).toBe(all.value);
      }),
      { numRuns: 30 },
    );
  });

  test('FrequentEstimate: what it says of a value is never wrong, nor what its cells say of the others', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 12 }), fc.boolean(), (lists, capacity, seeded) => {
        const merged = new FrequentEstimate(capacity);
        const counts = new Map<string, number>();
        for (const runs of lists) {
          const part = new FrequentEstimate(capacity);
          if (seeded) {
            for (const seed of [3, 2, 1]) {
              part.seed(`value ${seed}`, hashOf(`value ${seed}`), seed);
              counts.set(`value ${seed}`, (counts.get(`value ${seed}`) ?? 0) + seed);
            }
          }
          for (const [value, times] of runs) {
            for (let time = 0; time < times; time += 1) count(part, `value ${value}`);
            counts.set(`value ${value}`, (counts.get(`value ${value}`) ?? 0) + times);
          }
          merged.merge(new FrequentEstimate(capacity, part.state));
        }
        const { cells, watched } = merged.state;
        expect(watched.length).toBe(Math.min(capacity, counts.size));
        for (const { key, atLeast, atMost } of watched) {
          expect(atLeast).toBeLessThanOrEqual(counts.get(key) ?? 0);
          expect(atMost).toBeGreaterThanOrEqual(counts.get(key) ?? 0);
        }
        const keys = new Set(watched.map(({ key }) => key));
        for (const [key, times] of counts) {
          if (!keys.has(key)) expect(cells[hashOf(key) & (CELLS - 1)]).toBeGreaterThanOrEqual(times);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('FrequentEstimate: a value that is frequent in every part is found among ever new ones', () => {
    const merged = new FrequentEstimate(50);
    for (let part = 0; part < 20; part += 1) {
      const estimate = new FrequentEstimate(50);
      for (let value = 0; value < 5_000; value += 1) {
        count(estimate, `new ${part} ${value}`);
        if (value % 20 === 0) count(estimate, 'frequent');
      }
      merged.merge(estimate);
    }
    const [first] = merged.watched;
    expect(first?.key).toBe('frequent');
    expect(first?.atLeast).toBeGreaterThan(4_000);
    expect(first?.atLeast).toBeLessThanOrEqual(5_000);
    expect(first?.atMost).toBeGreaterThanOrEqual(5_000);
  });
});
