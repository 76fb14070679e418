import { expect, test } from 'vitest';
import { MalformedDataError, UnavailableError } from '../../../handlers/errors.ts';
import type { ObjectCreated } from '../../../handlers/upload/object-created.ts';
import { takeUploads } from '../../../handlers/upload/uploads-of-event.ts';

const uploads = ['a', 'b', 'c'].map((job) => ({ job, epoch: 'one' }));
const [first, second, third] = uploads.map((upload) => ({ upload }));
const malformed = { malformed: new MalformedDataError("A record of S3's event") };

/** What is taken of these readings, what is thrown, and what is logged. */
async function take(readings: Parameters<typeof takeUploads>[0], failing: readonly string[] = []) {
  const taken: ObjectCreated[] = [];
  const logged: unknown[] = [];
  const outcome = await takeUploads(
    readings,
    async (upload) => {
      taken.push(upload);
      if (failing.includes(upload.job)) throw new UnavailableError(upload.job);
    },
    { error: (_, fields) => logged.push(fields?.['error']) },
  ).catch((error: unknown) => error);
  return { taken, logged, outcome };
}

test('all uploads of an event are taken', async () => {
  expect(await take([first, second, third].flatMap((reading) => reading ?? []))).toEqual({
    taken: uploads,
    logged: [],
    outcome: undefined,
  });
  expect(await take([])).toEqual({ taken: [], logged: [], outcome: undefined });
});

test('what fails loses no other, and is thrown when all have had their turn', async () => {
  const readings = [first, malformed, second, third].flatMap((reading) => reading ?? []);
  expect(await take(readings)).toEqual({ taken: uploads, logged: [], outcome: malformed.malformed });
  expect(await take(readings, ['a', 'c'])).toEqual({
    taken: uploads,
    logged: [malformed.malformed, new UnavailableError('c')],
    outcome: new UnavailableError('a'),
  });
});
