import { describe, expect, it } from 'vitest';
import { JobRecord } from '../../web/job-record.ts';
import { sampleJob } from '../client/sample-job.ts';

const NOON = Date.parse('2026-11-23T12:00:00.000Z');

describe('the log of a job', () => {
  it('tells each change once, newest first, and an upload not as a step of the work', () => {
    const record = new JobRecord();
    const history = [{ status: 'awaiting-upload', at: '2026-11-23T12:00:00.000Z', seq: 1 }] as const;
    const upload = { name: 'upload', index: 1, count: 1 };
    const sniff = { name: 'sniff', index: 1, count: 3 };
    record.take(sampleJob(1, 'awaiting-upload', { history: [...history] }), NOON);
    record.take(sampleJob(2, 'awaiting-upload', { history: [...history], step: upload }), NOON);
    record.take(sampleJob(3, 'awaiting-upload', { history: [...history], step: upload }), NOON);
    const running = [...history, { status: 'running', at: '2026-11-23T12:00:01.000Z', seq: 4 } as const];
    record.take(sampleJob(4, 'running', { history: running, step: sniff, message: 'looking' }), NOON);
    record.take(sampleJob(4, 'running', { history: running, step: sniff, message: 'again' }), NOON);
    record.take(sampleJob(5, 'running', { history: running, step: sniff, stalled: true }), NOON);
    record.publish();
    expect(record.notes.value.lines.map(({ seq, text }) => [seq, text])).toEqual([
      [5, 'Not heard from for a while'],
      [4, 'Running'],
      [4, 'looking'],
      [4, 'Step 1 of 3: sniff'],
      [2, 'Uploading'],
      [1, 'Waiting for file'],
    ]);
  });
});
