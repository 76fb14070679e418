import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../bench/simulation/event-queue.ts';
import { type ReconnectSettings, simulateReconnect } from '../../../bench/simulation/reconnect.ts';
import { TokenBucket } from '../../../bench/simulation/token-bucket.ts';

const CROWD: ReconnectSettings = {
  clients: 100_000,
  outageSeconds: 60,
  requestsPerSecond: 500,
  requestBurst: 1_000,
  connectsPerSecond: 500,
  connectBurst: 500,
  refusalsUntilPolling: 3,
  simulated: 2_000,
  seed: 1,
};

describe('a crowd that comes back after an outage', () => {
  it('does so at the rate of its narrowest limit, in spite of the crowd', () => {
    const { halfBackSeconds, allBackSeconds } = simulateReconnect(CROWD);
    expect(halfBackSeconds).toBeGreaterThan(95); // 50,000 at 500 a second, but for the bursts
    expect(halfBackSeconds).toBeLessThan(110);
    expect(allBackSeconds).toBeLessThan(250);
    const slow = simulateReconnect({ ...CROWD, requestsPerSecond: 100, requestBurst: 200 });
    expect(slow.halfBackSeconds / halfBackSeconds).toBeCloseTo(5, 0);
  });

  it('is back within the longest back-off where nothing is short', () => {
    const { allBackSeconds, ticketsThrottled } = simulateReconnect({ ...CROWD, clients: 1_000 });
    expect(allBackSeconds).toBeLessThanOrEqual(30);
    expect(ticketsThrottled).toBe(0);
  });

  it('takes refused sockets for blocked ones, and polls, where tickets come faster than connects', () => {
    expect(simulateReconnect(CROWD).pollers).toBeLessThan(0.02);
    const eager = simulateReconnect({ ...CROWD, requestsPerSecond: 2_000, requestBurst: 4_000 });
    expect(eager.pollers).toBeGreaterThan(0.15);
    expect(eager.mostHeld).toBeGreaterThan(1_000); // all of an account's Lambda concurrency
  });

  it('is the same for the same seed, and nearly so for others', () => {
    expect(simulateReconnect(CROWD)).toEqual(simulateReconnect(CROWD));
    const other = simulateReconnect({ ...CROWD, seed: 2 });
    expect(other).not.toEqual(simulateReconnect(CROWD));
    expect(other.halfBackSeconds / simulateReconnect(CROWD).halfBackSeconds).toBeCloseTo(1, 1);
  });

  it('is well told by a sample', () => {
    const sample = simulateReconnect({ ...CROWD, simulated: 1_000 });
    const many = simulateReconnect({ ...CROWD, simulated: 10_000 });
    expect(sample.halfBackSeconds / many.halfBackSeconds).toBeCloseTo(1, 1);
  });
});

describe('EventQueue', () => {
  it('gives events by time, and those of one moment as they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (moments) => {
        const queue = new EventQueue<number>();
        for (const [order, at] of moments.entries()) queue.add(at, order);
        const taken = moments.map(() => queue.next());
        const expected = moments
          .map((at, item) => ({ at, item }))
          .toSorted((one, other) => one.at - other.at || one.item - other.item);
        expect(taken.map((event) => ({ at: event?.at, item: event?.item }))).toEqual(expected);
        expect(queue.next()).toBeUndefined();
      }),
    );
  });
});

describe('TokenBucket', () => {
  it('lets the burst through at once, and then the rate', () => {
    const bucket = new TokenBucket(10, 3);
    expect([0, 0, 0, 0].map((at) => bucket.take(at))).toEqual([true, true, true, false]);
    expect([0.05, 0.1, 0.15].map((at) => bucket.take(at))).toEqual([false, true, false]);
    expect([9, 9, 9, 9].map((at) => bucket.take(at))).toEqual([true, true, true, false]);
  });
});
