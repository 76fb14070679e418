import { describe, expect, it } from 'vitest';
import { Throttle } from '../../react/throttle.ts';
import { ManualClock } from '../client/manual-clock.ts';

function start(intervalMs: number) {
  const clock = new ManualClock();
  const runs: number[] = [];
  const begun = clock.now();
  const throttle = new Throttle(intervalMs, () => runs.push(clock.now() - begun), clock);
  return { clock, runs, throttle };
}

describe('Throttle', () => {
  it('runs the first request at once and the last of a burst after the interval', () => {
    const { clock, runs, throttle } = start(100);
    for (let step = 0; step < 25; step += 1) {
      throttle.request();
      clock.advance(10);
    }
    clock.advance(1_000);
    expect(runs).toEqual([0, 100, 200, 300]);
    throttle.request();
    expect(runs.at(-1)).toBe(1_250);
  });

  it('runs every request without an interval', () => {
    const { runs, throttle } = start(0);
    throttle.request();
    throttle.request();
    expect(runs).toEqual([0, 0]);
  });

  it('forgets what waits when it is flushed or cancelled', () => {
    const { clock, runs, throttle } = start(100);
    throttle.request();
    clock.advance(40);
    throttle.request();
    throttle.flush();
    clock.advance(50);
    throttle.request();
    throttle.cancel();
    clock.advance(1_000);
    expect(runs).toEqual([0, 40]);
    expect(clock.pending).toBe(0);
  });
});
