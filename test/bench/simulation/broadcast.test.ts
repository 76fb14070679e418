import { describe, expect, test } from 'vitest';
import {
  type BroadcastSettings,
  type BroadcastStrategy,
  simulateBroadcast,
} from '../../../bench/simulation/broadcast.ts';

/** A default account with an HTTP API that takes a fifth of it. */
function settings(
  strategy: BroadcastStrategy,
  overrides: Partial<BroadcastSettings> = {},
): BroadcastSettings {
  return {
    strategy,
    audience: 100_000,
    requestsPerSecond: 10_000,
    burst: 5_000,
    callsPerSecond: 2_000,
    postsPerSecond: 5_000,
    functions: 10,
    seed: 1,
    ...overrides,
  };
}

test('the same seed gives the same figures, another one others', () => {
  const once = simulateBroadcast(settings('sdk', { audience: 10_000 }));
  expect(simulateBroadcast(settings('sdk', { audience: 10_000 }))).toEqual(once);
  expect(simulateBroadcast(settings('sdk', { audience: 10_000, seed: 2 }))).not.toEqual(once);
});

describe.each([10_000, 100_000])('%i watchers beside 2,000 calls a second of the HTTP API', (audience) => {
  test('paced: nothing is refused and all are told, as fast as the setting says', () => {
    const figures = simulateBroadcast(settings('paced', { audience }));
    expect(figures).toMatchObject({ posts: audience, postsRefused: 0, lost: 0, callsRefused: 0 });
    expect(figures.seconds).toBeLessThan((1.1 * audience) / 5_000);
  });

  test('repeated at once: most requests are refused, and two of five calls', () => {
    const figures = simulateBroadcast(settings('atOnce', { audience }));
    expect(figures.lost).toBe(0);
    expect(figures.postsRefused).toBeGreaterThan(0.6);
    expect(figures.callsRefused).toBeGreaterThan(0.4);
  });
});

test('left to the SDK: half of the calls are refused, and some watchers are never told', () => {
  const figures = simulateBroadcast(settings('sdk'));
  expect(figures.callsRefused).toBeGreaterThan(0.4);
  expect(figures.lost).toBeGreaterThan(0.01);
});

describe('an account that others have nearly used up', () => {
  const busy = { callsPerSecond: 8_000 };

  test('paced: all are told, later, and one call in fifty is refused at the most', () => {
    const figures = simulateBroadcast(settings('paced', busy));
    expect(figures.lost).toBe(0);
    expect(figures.callsRefused).toBeLessThan(0.02);
    expect(figures.postsRefused).toBeLessThan(0.05);
    expect(figures.seconds).toBeLessThan(120);
  });

  test('and quite used up: the broadcast adds little to what is refused anyway', () => {
    const figures = simulateBroadcast(settings('paced', { audience: 10_000, callsPerSecond: 11_000 }));
    expect(figures.lost).toBe(0);
    expect(figures.callsRefused).toBeLessThan(1 - 10_000 / 11_000 + 0.05);
  });

  test('for minutes: what twelve attempts in a row could not tell is given up, and seen to be', () => {
    const hopeless = { audience: 10_000, requestsPerSecond: 1, burst: 1, callsPerSecond: 100 };
    expect(simulateBroadcast(settings('paced', hopeless)).lost).toBeGreaterThan(0.5);
  });
});
