import { expect, test } from 'vitest';
import { grantEnd, uploadSeconds } from '../../../handlers/api/upload-time.ts';
import type { JobRecord } from '../../../handlers/ports.ts';
import { sampleRecord, secondsLater } from '../../conformance/sample-jobs.ts';

const HOUR = 3_600;
const GIBIBYTE = 1024 ** 3;

function recordOf(upload: JobRecord['upload'], size: number): JobRecord {
  return sampleRecord({
    upload,
    input: { fileName: 'a.csv', contentType: 'text/csv', size },
    uploadUntil: secondsLater(uploadSeconds(upload, size)),
  });
}

test.each(['put', 'post'] as const)(
  '%s: what begins at the last moment of its grant may arrive',
  (upload) => {
    for (const [size, arrival] of [
      [1, 900],
      [100_000_000, 900],
      [GIBIBYTE, 8_590],
      [5 * GIBIBYTE, 42_950],
    ] as const) {
      const record = recordOf(upload, size);
      expect(grantEnd(record, new Date(secondsLater(0)))).toBe(secondsLater(HOUR));
      expect(record.uploadUntil).toBe(secondsLater(HOUR + arrival));
    }
  },
);

test.each(['put', 'post'] as const)('%s: no grant is made of which the upload could not arrive', (upload) => {
  const record = recordOf(upload, GIBIBYTE);
  expect(grantEnd(record, new Date(secondsLater(HOUR - 60)))).toBe(secondsLater(HOUR));
  expect(grantEnd(record, new Date(secondsLater(HOUR)))).toBeUndefined();
});

test('in parts: fresh grants for a day', () => {
  const record = recordOf('multipart', 5 * 1024 * GIBIBYTE);
  expect(record.uploadUntil).toBe(secondsLater(24 * HOUR));
  expect(grantEnd(record, new Date(secondsLater(5 * HOUR)))).toBe(secondsLater(6 * HOUR));
  expect(grantEnd(record, new Date(secondsLater(24 * HOUR - 60)))).toBe(secondsLater(24 * HOUR));
  expect(grantEnd(record, new Date(secondsLater(24 * HOUR)))).toBeUndefined();
});
