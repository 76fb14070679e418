import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE_MS, createBackOff, MAXIMUM_MS } from '../../client/back-off.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** The delay of attempt number `attempt`, from 0, where the jitter is `number`. */
function delayOf(attempt: number, number: number, retryAfterMs?: number): number {
  const backOff = createBackOff(() => number);
  for (let made = 0; made < attempt; made += 1) backOff.nextDelayMs();
  return backOff.nextDelayMs(retryAfterMs);
}

describe('the back-off', () => {
  it('stays between nothing and the ceiling, which doubles up to the maximum', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_100 }), random, (attempt, number) => {
        const delay = delayOf(attempt, number);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(MAXIMUM_MS, BASE_MS * 2 ** attempt));
      }),
    );
  });

  it('uses the whole range, so that many clients spread evenly', () => {
    expect(delayOf(3, 0)).toBe(0);
    expect(delayOf(3, 0.5)).toBe(2000);
    expect(delayOf(30, 0.5)).toBe(15_000);
  });

  it('never comes back before the server wants it to', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.nat({ max: 3_600_000 }), random, (attempt, after, number) => {
        const delay = delayOf(attempt, number, after);
        expect(delay).toBeGreaterThanOrEqual(after);
        expect(delay).toBeLessThanOrEqual(after + MAXIMUM_MS);
      }),
    );
  });

  it('grows with every attempt until it is reset', () => {
    const backOff = createBackOff(() => 0.5);
    const delays = [backOff.nextDelayMs(), backOff.nextDelayMs(), backOff.nextDelayMs()];
    backOff.reset();
    expect([...delays, backOff.nextDelayMs()]).toEqual([250, 500, 1000, 250]);
  });
});
