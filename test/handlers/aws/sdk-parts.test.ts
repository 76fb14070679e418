import nodeAssert from 'node:assert';
import { readFile as readFileOfNode } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFile } from '../../../handlers/aws/sdk-parts/fs-promises.ts';

type Assert = (value: unknown, message?: string | Error) => void;
const require = createRequire(import.meta.url);

function outcomeOf(assert: Assert, ...call: Parameters<Assert>): unknown {
  try {
    assert(...call);
    return 'passed';
  } catch (error) {
    return error;
  }
}

describe('what stands in for node:assert', () => {
  // What the file exports.
  const assert = require('../../../handlers/aws/sdk-parts/assert.cts') as Assert;

  it.each([true, 1, 'text', {}, false, 0, '', null, undefined, Number.NaN])(
    'takes %s as Node does',
    (value) => {
      const expected = outcomeOf(nodeAssert, value, 'a sentence');
      const outcome = outcomeOf(assert, value, 'a sentence');
      if (expected === 'passed') expect(outcome).toBe('passed');
      else
        expect(outcome).toMatchObject({
          name: 'AssertionError',
          code: 'ERR_ASSERTION',
          message: 'a sentence',
        });
    },
  );

  it('throws the error that it is handed', () => {
    const error = new RangeError('ours');
    expect(outcomeOf(assert, false, error)).toBe(error);
    expect(outcomeOf(nodeAssert, false, error)).toBe(error);
  });

  it('has a sentence of its own', () => {
    expect(outcomeOf(assert, 0)).toMatchObject({ message: 'The expression evaluated to a falsy value' });
  });
});

describe('what stands in for node:fs/promises', () => {
  it('knows no file, and says so as Node does', async () => {
    const path = join(import.meta.dirname, 'nowhere', 'config');
    const expected: unknown = await readFileOfNode(path, 'utf8').catch((error: unknown) => error);
    const error: unknown = await readFile(path).catch((reason: unknown) => reason);
    expect(expected).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(Error);
    const shape = ({ message, code, syscall, path }: NodeJS.ErrnoException) => ({
      message,
      code,
      syscall,
      path,
    });
    // Both are what Node throws for a file.
    expect(shape(error as NodeJS.ErrnoException)).toEqual(shape(expected as NodeJS.ErrnoException));
  });
});
