import { describe, expect, it } from 'vitest';
import { alternate, quantile, summarize } from '../../bench/rounds.ts';

describe('alternate', () => {
  it('runs the contestants in turn, and leaves the warm-ups out', async () => {
    const order: string[] = [];
    let next = 0;
    const round = (name: string) => async () => {
      order.push(name);
      next += 1;
      return { time: next, rate: 10 * next };
    };
    const summaries = await alternate({ ours: round('ours'), theirs: round('theirs') }, { rounds: 3 });
    expect(order.join(' ')).toBe('ours theirs ours theirs ours theirs ours theirs');
    expect(summaries.ours.time).toEqual({ median: 5, spread: 1, values: [3, 5, 7] });
    expect(summaries.theirs.rate).toEqual({ median: 60, spread: 10, values: [40, 60, 80] });
  });

  it('stops between two rounds once it is told to', async () => {
    const interruption = new AbortController();
    let rounds = 0;
    const ours = async () => {
      rounds += 1;
      if (rounds === 2) interruption.abort(new Error('Ctrl-C'));
      return { time: 1 };
    };
    await expect(alternate({ ours }, { rounds: 9, signal: interruption.signal })).rejects.toThrow('Ctrl-C');
    expect(rounds).toBe(2);
  });
});

describe('summarize', () => {
  it('is not moved by one round in a noisy minute', () => {
    const { median, spread } = summarize([5, 4, 900, 6, 5]);
    expect(median).toBe(5);
    expect(spread).toBe(0.5);
  });
});

describe('quantile', () => {
  it('lies between neighbours, and is no number without values', () => {
    expect(quantile([0, 10], 0.5)).toBe(5);
    expect(quantile([0, 10], 1)).toBe(10);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
