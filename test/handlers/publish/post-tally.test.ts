import { describe, expect, test } from 'vitest';
import {
  attemptsAfter,
  delaySeconds,
  MAXIMUM_ATTEMPTS,
  spreadSeconds,
} from '../../../handlers/publish/delivery-attempts.ts';
import type { PostOutcome } from '../../../handlers/publish/post-frame.ts';
import { PostTally } from '../../../handlers/publish/post-tally.ts';

function isFailing(outcomes: Partial<Record<PostOutcome, number>>): boolean {
  const tally = new PostTally(5);
  for (const outcome of ['posted', 'gone', 'connecting', 'later', 'throttled', 'late'] as const) {
    for (let count = 0; count < (outcomes[outcome] ?? 0); count += 1) tally.count(outcome);
  }
  return tally.isFailing;
}

describe('posts fail', () => {
  test('where five are a tenth of all, throttled or not answered', () => {
    expect(isFailing({ posted: 45, throttled: 5 })).toBe(true);
    expect(isFailing({ posted: 45, later: 3, throttled: 2 })).toBe(true);
    expect(isFailing({ posted: 46, throttled: 5 })).toBe(false);
    expect(isFailing({ throttled: 4 })).toBe(false);
  });

  test('not where clients are gone or yet to come, or the function ends', () => {
    expect(isFailing({ gone: 50, connecting: 50, late: 50 })).toBe(false);
  });
});

test('progress begins the count of attempts anew', () => {
  expect(attemptsAfter(MAXIMUM_ATTEMPTS - 1, 1)).toBe(1);
  expect(attemptsAfter(MAXIMUM_ATTEMPTS - 1, 0)).toBe(MAXIMUM_ATTEMPTS);
});

test('what is throttled together comes back over as many seconds as five hundred a second take, up to a minute', () => {
  expect(spreadSeconds(10, 0.999)).toBe(4);
  expect(spreadSeconds(10_000, 0.999)).toBe(20);
  expect(spreadSeconds(1_000_000, 0.999)).toBe(60);
  expect(spreadSeconds(10_000, 0)).toBe(1);
  expect(delaySeconds(20, 0.999)).toBe(60);
});
