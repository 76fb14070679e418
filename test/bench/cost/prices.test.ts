import { describe, expect, it } from 'vitest';
import { costOf, type Meter, PRICES, PRICES_COLLECTED } from '../../../bench/cost/prices.ts';

describe('costOf', () => {
  it('counts each tier’s units at its price', () => {
    expect(costOf('socketMessages', 1e9)).toBeCloseTo(1_000);
    expect(costOf('socketMessages', 1.5e9)).toBeCloseTo(1_000 + 400);
    expect(costOf('httpRequests', 301e6)).toBeCloseTo(300 + 0.9);
    expect(costOf('gigabyteSeconds', 20e9)).toBeCloseTo(
      7.5e9 * 0.0000133334 + 11.25e9 * 0.0000120001 + 1.25e9 * 0.0000106667,
    );
    expect(costOf('writeUnits', 2e6)).toBeCloseTo(1.25);
    expect(costOf('readUnits', 0)).toBe(0);
  });
});

describe('the price list', () => {
  const meters = Object.keys(PRICES) as Meter[]; // keys of a Record<Meter, …>

  it.each(meters)('has for %s a source, and tiers in order without a gap at the end', (meter) => {
    const { source, tiers } = PRICES[meter];
    expect(source).toMatch(/^(aws-facts|https:)/);
    const ends = tiers.map(({ upTo }) => upTo);
    expect(ends).toEqual([...ends].sort((one, other) => one - other));
    expect(ends.at(-1)).toBe(Number.POSITIVE_INFINITY);
    const dollars = tiers.map((tier) => tier.dollars);
    expect(dollars).toEqual([...dollars].sort((one, other) => other - one));
  });

  it('is dated', () => {
    expect(PRICES_COLLECTED).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });
});
