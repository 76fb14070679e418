import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockOffset } from '../../web/clock-offset.ts';

describe('the offset of the clocks', () => {
  it('is 0 while nothing contradicts it', () => {
    const clock = new ClockOffset();
    clock.observeArrival(1_000, 1_020);
    clock.observeAnswer(990, 1_050, 1_000);
    expect(clock).toMatchObject({ value: 0, checked: true });
  });

  it('is noticed behind by a frame that arrives before its commit, ahead by a request alone', () => {
    const behind = new ClockOffset();
    behind.observeArrival(10_000, 4_000);
    expect(behind).toMatchObject({ value: -6_000, checked: false });
    const ahead = new ClockOffset();
    ahead.observeArrival(10_000, 15_020);
    expect(ahead.value).toBe(0);
    ahead.observeAnswer(15_000, 15_100, 10_000, 11_000);
    expect(ahead).toMatchObject({ value: 4_000, checked: true });
  });

  it('starts anew when the clock was set', () => {
    const clock = new ClockOffset();
    clock.observeAnswer(65_000, 65_010, 5_000);
    expect(clock.value).toBe(60_000);
    clock.observeAnswer(6_000, 6_010, 6_005);
    expect(clock.value).toBe(0);
  });

  it('never corrects by more than the clocks differ', () => {
    const events = fc.array(fc.tuple(fc.boolean(), fc.nat(5_000), fc.nat(5_000)), { minLength: 1 });
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), events, (offset, happenings) => {
        const clock = new ClockOffset();
        let server = 1e9;
        for (const [isAnswer, there, back] of happenings) {
          const sent = server + offset;
          server += there;
          const told = server;
          server += back;
          if (isAnswer) clock.observeAnswer(sent, server + offset, told);
          else clock.observeArrival(told, server + offset);
          expect(Math.abs(clock.value)).toBeLessThanOrEqual(Math.abs(offset));
          expect(clock.value * offset).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
