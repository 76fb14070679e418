import { describe, expect, it } from 'vitest';
import { type OverloadSettings, simulateOverload } from '../../../bench/simulation/overload.ts';

/** As deployed: 2,000 frames a second are the pings of 50,000 clients. */
const CROWD: OverloadSettings = {
  clients: 45_000,
  pingSeconds: 25,
  framesPerSecond: 2_000,
  frameBurst: 1_000,
  ticketsPerSecond: 100,
  ticketBurst: 200,
  minutes: 20,
  simulated: 1_000,
  seed: 1,
};

describe('a crowd that pings as often as the stage allows', () => {
  it('stays live', () => {
    expect(simulateOverload(CROWD)).toEqual({ live: 1, pingsThrottled: 0, dialsPerSecond: 0 });
  });
});

describe('a crowd that pings more often', () => {
  it.each([75_000, 100_000, 200_000])(
    'of %i keeps the fifty thousand live that there are pongs for',
    (clients) => {
      const { live, dialsPerSecond } = simulateOverload({ ...CROWD, clients });
      expect(live * clients).toBeGreaterThan(46_000);
      expect(live * clients).toBeLessThan(54_000);
      expect(dialsPerSecond).toBeGreaterThan(1_000);
    },
  );

  it('is live again where it pings less often', () => {
    expect(simulateOverload({ ...CROWD, clients: 200_000, pingSeconds: 180 })).toMatchObject({ live: 1 });
  });

  it('is the same for the same seed', () => {
    const settings = { ...CROWD, clients: 60_000 };
    expect(simulateOverload(settings)).toEqual(simulateOverload(settings));
    expect(simulateOverload({ ...settings, seed: 2 })).not.toEqual(simulateOverload(settings));
  });
});
