import type { Job } from '../../protocol/job.ts';
import type { Status } from '../../protocol/status.ts';

const TIME = '2026-11-23T12:00:00.000Z';

/** A valid id that ends in a number. */
export function jobId(number: number): string {
  return `job_${String(number).padStart(26, '0')}`;
}

/** A valid job. */
export function sampleJob(seq: number, status: Status = 'running', changes: Partial<Job> = {}): Job {
  return {
    id: jobId(1),
    kind: 'csv-profile',
    epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZA',
    seq,
    status,
    stalled: false,
    tags: [],
    createdAt: TIME,
    updatedAt: TIME,
    expiresAt: '2026-11-30T12:00:00.000Z',
    history: [{ status: 'awaiting-upload', at: TIME, seq: 1 }],
    ...changes,
  };
}
