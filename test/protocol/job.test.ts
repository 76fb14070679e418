import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  ContentTypeSchema,
  entityTagOf,
  FIELD_BYTES,
  FileNameSchema,
  type Head,
  isNewer,
  JobSchema,
  KindSchema,
  MAXIMUM_JOB_BYTES,
  TagSchema,
  TagsSchema,
  TimeSchema,
} from '../../protocol/job.ts';
import { serializedBytes } from '../../protocol/size.ts';
import { anyJob, anyUlid } from './sample-jobs.ts';

describe('a job', () => {
  it('survives JSON and its own schema unchanged', () => {
    fc.assert(
      fc.property(anyJob(), (job) => {
        expect(v.parse(JobSchema, JSON.parse(JSON.stringify(job)))).toStrictEqual(
          JSON.parse(JSON.stringify(job)),
        );
      }),
    );
  });

  it('keeps its fields together below the limit', () => {
    const fields = Object.values(FIELD_BYTES).reduce((sum, bytes) => sum + bytes, 0);
    // Ids, times, numbers, names of fields and seven entries of history take less than 3 KB.
    expect(fields + 3 * 1024).toBeLessThanOrEqual(MAXIMUM_JOB_BYTES);
  });

  it('drops fields that it does not know, so that peers of other versions may add some', () => {
    fc.assert(
      fc.property(anyJob(), (job) => {
        const known = JSON.parse(JSON.stringify(job));
        expect(v.parse(JobSchema, { ...known, colour: 'red' })).toStrictEqual(known);
      }),
      { numRuns: 10 },
    );
  });

  it('counts the limit in bytes of JSON', () => {
    const message = (text: string) => v.is(JobSchema.entries.message, text);
    expect(message('x'.repeat(2_046))).toBe(true);
    expect(message('x'.repeat(2_047))).toBe(false);
    expect(message('€'.repeat(682))).toBe(true);
    expect(message('€'.repeat(683))).toBe(false);
    expect(message('\u0001'.repeat(341))).toBe(true);
    expect(message('\u0001'.repeat(342))).toBe(false);
    expect(message('')).toBe(false);
    expect(serializedBytes('🚀')).toBe(6);
    expect(serializedBytes(undefined)).toBe(0);
  });
});

describe('single fields', () => {
  it.each([
    [
      'a tag',
      TagSchema,
      ['nightly', 'ä b', '🚀', 'x'.repeat(64)],
      ['', 'a:b', 'a"b', 'a\\b', 'a\nb', 'x'.repeat(65), '\ud800'],
    ],
    ['a kind', KindSchema, ['csv-profile', 'a'], ['', 'A', '1a', 'a b', `a${'b'.repeat(64)}`]],
    [
      'a file name',
      FileNameSchema,
      ['a.csv', 'ä ö.csv', '..'],
      ['', 'a/b', 'a\\b', 'a\u0000b', 'x'.repeat(1_025)],
    ],
    [
      'a media type',
      ContentTypeSchema,
      ['text/csv', 'text/csv; charset=utf-8', 'text/csv;charset="utf 8"', 'application/vnd.api+json'],
      [
        '',
        'text',
        'text/',
        '/csv',
        'text/csv;',
        'text/csv; charset',
        'text/csv\r\nx: y',
        `text/${'x'.repeat(260)}`,
      ],
    ],
    [
      'a time',
      TimeSchema,
      ['2026-11-23T10:15:30.123Z'],
      ['2026-11-23T10:15:30Z', '2026-11-23T10:15:30.123+00:00', '2026-11-23', ''],
    ],
  ])('%s is what the contract says', (_name, schema, good, bad) => {
    for (const value of good) expect(v.is(schema, value), value).toBe(true);
    for (const value of bad) expect(v.is(schema, value), value).toBe(false);
  });

  it('tags are few, each once, and small together', () => {
    expect(v.is(TagsSchema, [])).toBe(true);
    expect(v.is(TagsSchema, ['a', 'a'])).toBe(false);
    expect(
      v.is(
        TagsSchema,
        Array.from({ length: 11 }, (_, index) => `${index}`),
      ),
    ).toBe(false);
    expect(
      v.is(
        TagsSchema,
        Array.from({ length: 10 }, (_, index) => `${index}${'€'.repeat(60)}`),
      ),
    ).toBe(false);
  });
});

describe('isNewer', () => {
  const head: fc.Arbitrary<Head> = fc.record({ epoch: anyUlid(), seq: fc.integer({ min: 1, max: 5 }) });
  const inOneEpoch = fc.tuple(anyUlid(), fc.nat(5), fc.nat(5));

  it('takes anything for newer than nothing', () => {
    expect(isNewer({ epoch: 'x', seq: 1 }, undefined)).toBe(true);
  });

  it('goes by seq within an epoch', () => {
    fc.assert(
      fc.property(inOneEpoch, ([epoch, one, other]) => {
        expect(isNewer({ epoch, seq: one }, { epoch, seq: other })).toBe(one > other);
      }),
    );
  });

  it('is a strict order: of two different heads exactly one is newer, and it is transitive', () => {
    fc.assert(
      fc.property(head, head, head, (a, b, c) => {
        const same = a.epoch === b.epoch && a.seq === b.seq;
        expect(Number(isNewer(a, b)) + Number(isNewer(b, a))).toBe(same ? 0 : 1);
        if (isNewer(a, b) && isNewer(b, c)) expect(isNewer(a, c)).toBe(true);
      }),
    );
  });

  it('takes a later epoch for newer whatever its seq', () => {
    const known = { epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZA', seq: 900 };
    expect(isNewer({ epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZB', seq: 1 }, known)).toBe(true);
    expect(isNewer({ epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZ9', seq: 901 }, known)).toBe(false);
  });

  it('goes into an entity tag', () => {
    expect(entityTagOf({ epoch: 'E', seq: 7 })).toBe('"E.7"');
  });
});
