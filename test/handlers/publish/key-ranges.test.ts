import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AudienceRange } from '../../../handlers/ports.ts';
import { divideRest, MAXIMUM_PARTS, rowsOfPage } from '../../../handlers/publish/key-ranges.ts';

const PORTION = 20;

/** Ids as they may be spread: evenly, by time of connect, in clusters, counted, or in other alphabets. */
const spreads: Readonly<Record<string, fc.Arbitrary<string>>> = {
  evenly: fc.base64String({ minLength: 16, maxLength: 16 }),
  'with one beginning': fc.base64String({ minLength: 8, maxLength: 8 }).map((end) => `R1kmxc2V${end}`),
  'in two clusters': fc
    .tuple(fc.constantFrom('AAAA', 'zzzz'), fc.base64String({ minLength: 12, maxLength: 12 }))
    .map(([start, end]) => start + end),
  'closer and closer together': fc.nat(60).map((depth) => `${'A'.repeat(depth % 15)}B${depth}`),
  counted: fc.nat(100_000).map((number) => String(number).padStart(16, 'C')),
  'of any text': fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }),
};

interface Told {
  readonly connections: readonly string[];
  readonly depth: number;
  readonly messages: number;
}

/** What `broadcast` does with rows: a page from each range, and the rest divided. */
function tell(rows: readonly string[], range: AudienceRange, portion = PORTION): Told {
  const inside = rows.filter((row) => row > (range.after ?? '') && row <= (range.until ?? '\u{10ffff}'));
  const page = inside.slice(0, rowsOfPage(portion));
  const [next, last] = [page.at(-1), inside.at(-1)];
  if (next === undefined || last === undefined || inside.length === page.length)
    return { connections: page, depth: 1, messages: 1 };
  const parts = divideRest({ first: page[0], next, last, until: range.until }).map((part) =>
    tell(rows, part, portion),
  );
  return {
    connections: [...page, ...parts.flatMap(({ connections }) => connections)],
    depth: 1 + Math.max(...parts.map(({ depth }) => depth)),
    messages: 1 + parts.reduce((sum, { messages }) => sum + messages, 0),
  };
}

describe.each(Object.entries(spreads))('ids %s', (_name, id) => {
  test('ranges are exactly the rest, each connection once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 400, size: 'max' }), (ids) => {
        const rows = ids.toSorted((one, other) => (one < other ? -1 : 1));
        expect(tell(rows, {}).connections).toEqual(rows);
      }),
      { numRuns: 40 },
    );
  });
});

test('ten thousand even ids take about as many ranges as portions, at the second division', () => {
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    Buffer.from(((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(12, '0'), 'hex').toString('base64'),
  ).toSorted((one, other) => (one < other ? -1 : 1));
  const { connections, depth, messages } = tell(rows, {});
  expect(connections).toEqual(rows);
  expect(depth).toBeLessThanOrEqual(4);
  expect(messages).toBeLessThan((3 * rows.length) / PORTION);
});

test.each([1, 2, 3])('a range of even ids is not divided again for the sake of a few rows (%i)', (seed) => {
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    createHash('sha256').update(`${seed} ${index}`).digest('base64').slice(0, 16),
  ).toSorted((one, other) => (one < other ? -1 : 1));
  const { depth, messages } = tell(rows, {}, 1_000);
  expect(depth).toBe(2);
  expect(messages).toBeLessThanOrEqual(11);
});

test('a page of one cluster before a far end makes many ranges, but not without bound', () => {
  const ranges = divideRest({ first: 'A000', next: 'A001', last: 'zzzz', until: undefined });
  expect(ranges).toHaveLength(MAXIMUM_PARTS);
  expect(ranges[0]?.after).toBe('A001');
  expect(ranges.at(-1)?.until).toBeUndefined();
});

test('a rest that is one portion is one range', () => {
  expect(divideRest({ first: 'A', next: 'M', last: 'N', until: 'Z' })).toEqual([{ after: 'M', until: 'Z' }]);
});

test('nothing is known of a page whose rows have all expired', () => {
  const ranges = divideRest({ first: undefined, next: 'A', last: 'z', until: undefined });
  expect(ranges.length).toBeGreaterThan(1);
});
