import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackOff, DEFAULT_BACK_OFF, fullJitterMs } from '../../client/back-off.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('fullJitterMs', () => {
  it('stays between nothing and the ceiling, which doubles up to the maximum', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), random, (attempt, number) => {
        const delay = fullJitterMs(attempt, number, DEFAULT_BACK_OFF);
        const ceiling = Math.min(DEFAULT_BACK_OFF.maximumMs, DEFAULT_BACK_OFF.baseMs * 2 ** attempt);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(ceiling);
      }),
    );
  });

  it('uses the whole range, so that many clients spread evenly', () => {
    expect(fullJitterMs(3, 0, DEFAULT_BACK_OFF)).toBe(0);
    expect(fullJitterMs(3, 0.5, DEFAULT_BACK_OFF)).toBe(2000);
    expect(fullJitterMs(30, 0.5, DEFAULT_BACK_OFF)).toBe(15_000);
  });
});

describe('BackOff', () => {
  it('never comes back before the server wants it to', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.nat({ max: 3_600_000 }), random, (attempts, after, number) => {
        const backOff = new BackOff(() => number);
        for (let attempt = 0; attempt < attempts; attempt += 1) backOff.nextDelayMs();
        const delay = backOff.nextDelayMs(after);
        expect(delay).toBeGreaterThanOrEqual(after);
        expect(delay).toBeLessThanOrEqual(after + DEFAULT_BACK_OFF.maximumMs);
      }),
    );
  });

  it('grows with every attempt until it is reset', () => {
    const backOff = new BackOff(() => 0.5, { baseMs: 100, maximumMs: 350 });
    const delays = [backOff.nextDelayMs(), backOff.nextDelayMs(), backOff.nextDelayMs()];
    backOff.reset();
    expect([...delays, backOff.nextDelayMs()]).toEqual([50, 100, 175, 50]);
  });
});
