import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProfilingLimits } from '../../handlers/process/csv-profile/profiling-limits.ts';
import { ProcessingError, type ProcessorResult } from '../../handlers/process/processor.ts';
import { planOf, resultInOnePass, resultInSteps } from '../handlers/process/profile-of.ts';

/** All that a user sees of it: the result byte for byte, or the error word for word. Anything else fails. */
async function outcomeOf(work: Promise<ProcessorResult>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProcessingError)) throw error;
    const { code, title, detail, retryable } = error;
    return { code, title, detail, retryable };
  }
}

async function expectSame(file: Uint8Array, limits: ProfilingLimits): Promise<void> {
  const inOnePass = await outcomeOf(resultInOnePass([file], limits));
  const inSmallChunks = await outcomeOf(
    resultInOnePass(
      Array.from({ length: Math.ceil(file.length / 7) }, (_, chunk) =>
        file.subarray(chunk * 7, chunk * 7 + 7),
      ),
      limits,
    ),
  );
  expect(inSmallChunks).toEqual(inOnePass);
  expect(await outcomeOf(resultInSteps(file, limits))).toEqual(inOnePass);
}

const tokens = fc.constantFrom(
  ',',
  ',',
  ';',
  '\t',
  '\n',
  '\n',
  '\r\n',
  '\r',
  '"',
  '""',
  '","',
  '"\n"',
  '"x"y',
  '"a\nb"',
  ' ',
  'a',
  'é',
  '😀',
  '1',
  '-2.5',
  '1e300',
  'true',
  '2020-01-01',
  '2020-01-01T00:00:00Z',
  '\ufeff',
  '%PDF-',
  'x'.repeat(150),
);
const someLimits = fc.record({
  rangeBytes: fc.integer({ min: 1, max: 120 }),
  mostRanges: fc.integer({ min: 1, max: 40 }),
  recordCharacters: fc.constantFrom(40, 300, 1024 * 1024),
});

describe('in steps it comes to the same as in one pass', () => {
  test('anything that looks like CSV', async () => {
    const csvLike = fc.array(tokens, { maxLength: 150 }).map((parts) => Buffer.from(parts.join('')));
    await fc.assert(fc.asyncProperty(csvLike, someLimits, expectSame), { numRuns: 400 });
  });

  test('tables with some broken rows, over and over', async () => {
    const table = fc
      .tuple(
        fc.boolean(),
        fc.array(fc.array(tokens, { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
      )
      .map(([mark, rows, times]) => {
        const broken = rows.map((parts) => `${parts.join('')}\n3,"é ""z""\r\n"\r\n4,5\n`).join('');
        return Buffer.from(`${mark ? '\ufeff' : ''}a,b\n${broken.repeat(times)}`);
      });
    await fc.assert(fc.asyncProperty(table, someLimits, expectSame), { numRuns: 120 });
  });

  test('columns of more values than are counted exactly', async () => {
    const row = fc.tuple(fc.nat(70), fc.float({ noNaN: true }), fc.constantFrom('2020-01-01', '', 'x', '1'));
    const file = fc.array(row, { minLength: 300, maxLength: 500 }).map((rows) => {
      const lines = rows.map(([one, two, three]) => `${one},${two},${three}${',k'.repeat(1_500)}`);
      return Buffer.from(`${lines.join('\n')}\n`);
    });
    const limits = { rangeBytes: 300_000, mostRanges: 40, recordCharacters: 1024 * 1024 };
    await fc.assert(
      fc.asyncProperty(file, async (bytes) => {
        const inOnePass = await resultInOnePass([bytes], limits);
        expect(await resultInSteps(bytes, limits)).toEqual(inOnePass);
      }),
      { numRuns: 1 },
    );
  });

  test('ranges are where they should be, whatever the limits', async () => {
    const line = fc.stringMatching(/^[a-z,]{0,30}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 60 }), someLimits, async (lines, limits) => {
        const text = `x,y\n${lines.map((each) => `"${each}",1\n`).join('')}`;
        const { ranges } = await planOf(Buffer.from(text), limits);
        const starts = [...text.matchAll(/\n/g)]
          .map(({ index }) => index + 1)
          .filter((at) => at < text.length);
        const stride = Math.max(limits.rangeBytes, Math.ceil(text.length / limits.mostRanges));
        const multiples = Array.from({ length: limits.mostRanges - 1 }, (_, k) => (k + 1) * stride);
        const wanted = multiples.map((multiple) => starts.find((at) => at >= multiple));
        expect(ranges.map(({ from }) => from)).toEqual([
          0,
          ...new Set(wanted.filter((at) => at !== undefined)),
        ]);
        expect(ranges.map(({ line }) => line)).toEqual(
          ranges.map(({ from }) => text.slice(0, from).split('\n').length),
        );
        expect(ranges.map(({ to }) => to)).toEqual([...ranges.slice(1).map(({ from }) => from), text.length]);
      }),
      { numRuns: 200 },
    );
  });
});
