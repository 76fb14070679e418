import { expect, it } from 'vitest';
import { JobTable, MAXIMUM_LISTED } from '../../web/job-table.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';

const job = (number: number) =>
  sampleJob(1, 'queued', {
    id: jobId(number),
    createdAt: new Date(Date.UTC(2026, 10, 23) + number * 1000).toISOString(),
  });

it('keeps the newest, and the one that is open as long as it is open', () => {
  const forgotten: string[] = [];
  const table = new JobTable((id) => forgotten.push(id));
  table.pin(jobId(1));
  for (let number = 1; number <= MAXIMUM_LISTED + 2; number += 1) table.put(job(number));
  expect(table.order.value).toHaveLength(MAXIMUM_LISTED);
  expect(forgotten).toEqual([jobId(2)]);
  expect(table.job(jobId(1)).value?.id).toBe(jobId(1));
  table.pin(jobId(5));
  expect(forgotten).toEqual([jobId(2), jobId(1)]);
  table.pin(undefined);
  expect(forgotten).toHaveLength(2);
});
