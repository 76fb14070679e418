import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProcessingError } from '../../handlers/process/processor.ts';
import { profileOf } from '../handlers/process/profile-of.ts';

/** A profile, or the code and detail of the error; anything else fails the test. */
async function outcomeOf(chunks: readonly Uint8Array[]): Promise<unknown> {
  try {
    return await profileOf(chunks);
  } catch (error) {
    if (!(error instanceof ProcessingError)) throw error;
    return { code: error.code };
  }
}

function cut(data: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const borders = [0, ...places.map((place) => place % (data.length + 1)), data.length].sort((a, b) => a - b);
  return borders.slice(1).map((end, index) => data.subarray(borders[index], end));
}

const tokens = fc.constantFrom(
  ',',
  ';',
  '\t',
  '|',
  '\n',
  '\r\n',
  '\r',
  '"',
  '""',
  '","',
  '"\n"',
  ' ',
  'a',
  'é',
  '😀',
  '1',
  '-2.5',
  'true',
  '2020-01-01',
  '2020-01-01T00:00:00Z',
  '\ufeff',
  'x'.repeat(150),
);
const csvLike = fc.array(tokens, { maxLength: 200 }).map((parts) => Buffer.from(parts.join('')));
/** Long enough that the sample, the passes and the pieces end within it. */
const longCsvLike = fc
  .tuple(fc.array(tokens, { minLength: 1, maxLength: 60 }), fc.integer({ min: 100, max: 900 }))
  .map(([parts, times]) =>
    Buffer.from(`a,b\n${`1,"x ""y"" é\r\n😀"\r\n2,${parts.join('')}\n`.repeat(times)}`),
  );
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('any bytes give a profile or a ProcessingError', () => {
  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (data) => {
        expect(await outcomeOf([data])).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  test('what looks like CSV', async () => {
    await fc.assert(
      fc.asyncProperty(csvLike, async (data) => {
        expect(await outcomeOf([data])).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('however the file is cut, the result is the same', () => {
  test('a short file', async () => {
    await fc.assert(
      fc.asyncProperty(csvLike, places, async (data, borders) => {
        expect(await outcomeOf(cut(data, borders))).toEqual(await outcomeOf([data]));
      }),
      { numRuns: 400 },
    );
  });

  test('a short file, byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(csvLike, async (data) => {
        const bytes = Array.from(data, (byte) => Uint8Array.of(byte));
        expect(await outcomeOf(bytes)).toEqual(await outcomeOf([data]));
      }),
      { numRuns: 50 },
    );
  });

  test('a long file', async () => {
    await fc.assert(
      fc.asyncProperty(longCsvLike, places, async (data, borders) => {
        expect(await outcomeOf(cut(data, borders))).toEqual(await outcomeOf([data]));
      }),
      { numRuns: 40 },
    );
  });
});
