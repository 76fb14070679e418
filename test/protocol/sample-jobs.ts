import fc from 'fast-check';
import type { Job } from '../../protocol/job.ts';
import { STATUSES } from '../../protocol/status.ts';

/** Any valid job, for tests of what carries jobs. Optional fields come and go. */
export function anyJob(): fc.Arbitrary<Job> {
  return fc.record(
    {
      id: anyUlid().map((ulid) => `job_${ulid}`),
      kind: fc.constantFrom('csv-profile', 'a', 'x9-y'),
      epoch: anyUlid(),
      seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      status: fc.constantFrom(...STATUSES),
      stalled: fc.boolean(),
      input: fc.record({
        fileName: fc.constantFrom('a.csv', 'ä b.csv', '🚀'),
        contentType: fc.constantFrom('text/csv', 'text/csv; charset="utf-8"'),
        size: fc.nat(),
      }),
      progress: fc.record(
        {
          done: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
          total: fc.nat(),
          unit: anyText(20),
          fraction: fc.double({ min: 0, max: 1, noNaN: true }).map((fraction) => fraction + 0), // no -0
        },
        { requiredKeys: ['fraction'] },
      ),
      step: fc.record({ name: anyText(60), index: fc.integer({ min: 1 }), count: fc.integer({ min: 1 }) }),
      message: anyText(300),
      result: fc.record({ href: fc.constant('/x'), contentType: fc.constant('a/b'), size: fc.nat() }),
      error: fc.record(
        { code: anyText(20), title: anyText(80), detail: anyText(600), retryable: fc.boolean() },
        { requiredKeys: ['code', 'title', 'retryable'] },
      ),
      tags: fc.uniqueArray(fc.constantFrom('nightly', 'ä', '🚀 x', 'b'), { maxLength: 4 }),
      createdAt: anyTime(),
      updatedAt: anyTime(),
      startedAt: anyTime(),
      finishedAt: anyTime(),
      expiresAt: anyTime(),
      history: fc.array(fc.record({ status: fc.constantFrom(...STATUSES), at: anyTime(), seq: fc.nat() }), {
        maxLength: 7,
      }),
    },
    {
      requiredKeys: [
        ...(['id', 'kind', 'epoch', 'seq', 'status', 'stalled', 'tags'] as const),
        ...(['createdAt', 'updatedAt', 'expiresAt', 'history'] as const),
      ],
    },
  );
}

/** Crockford's base 32, as ULIDs are written. */
export function anyUlid(): fc.Arbitrary<string> {
  return fc.string({
    unit: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'),
    minLength: 26,
    maxLength: 26,
  });
}

function anyText(maxLength: number): fc.Arbitrary<string> {
  // At most 6 bytes of JSON a character, so no limit is passed.
  return fc.string({ unit: 'binary', minLength: 1, maxLength: Math.max(1, Math.floor(maxLength / 6)) });
}

function anyTime(): fc.Arbitrary<string> {
  return fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString());
}
