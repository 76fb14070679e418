import { expect, test } from 'vitest';
import { sequencers } from '../../../local/services/s3-object-created.ts';

test('sequencers grow as text, also within a millisecond and when the clock goes back', () => {
  const times = [1_763_900_000_000, 1_763_900_000_000, 1_763_899_995_000, 1_763_900_000_001];
  let index = 0;
  const next = sequencers(() => times[index++] ?? 0);
  const made = times.map(() => next());
  expect(made).toEqual([...new Set(made)].sort());
});
