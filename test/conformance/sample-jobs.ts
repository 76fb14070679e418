import { ulid } from 'ulid';
import type { JobRecord, NewJob } from '../../handlers/ports.ts';

/** The moment at which sample jobs are made. */
export const MADE_AT = '2026-11-23T10:00:00.000Z';

/** RFC 3339, some seconds after `MADE_AT`. */
export function secondsLater(seconds: number): string {
  return new Date(Date.parse(MADE_AT) + seconds * 1000).toISOString();
}

/** A job to be made, of an id and epoch that no other has. */
export function sampleNewJob(fields: Partial<NewJob> = {}): NewJob {
  return {
    id: `job_${ulid()}`,
    epoch: ulid(),
    kind: 'csv-profile',
    owner: 'ada',
    tags: ['nightly'],
    input: { fileName: 'rows.csv', contentType: 'text/csv', size: 11 },
    upload: 'put',
    fingerprint: 'a hash',
    at: MADE_AT,
    uploadUntil: secondsLater(900),
    expiresAt: secondsLater(86_400),
    ...fields,
  };
}

/** The record of a job as it is right after it was made. */
export function sampleRecord(fields: Partial<NewJob> = {}): JobRecord {
  const job = sampleNewJob(fields);
  return {
    job: {
      id: job.id,
      kind: job.kind,
      epoch: job.epoch,
      seq: 1,
      status: 'awaiting-upload',
      stalled: false,
      input: job.input,
      tags: [...job.tags],
      createdAt: job.at,
      updatedAt: job.at,
      expiresAt: job.expiresAt,
      history: [{ status: 'awaiting-upload', at: job.at, seq: 1 }],
    },
    owner: job.owner,
    upload: job.upload,
    ...(job.crc32 === undefined ? {} : { crc32: job.crc32 }),
    uploadUntil: job.uploadUntil,
    fingerprint: job.fingerprint,
  };
}
