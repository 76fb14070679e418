import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DistinctEstimate } from '../../../handlers/process/csv-profile/distinct-estimate.ts';
import { FrequentEstimate } from '../../../handlers/process/csv-profile/frequent-estimate.ts';
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
