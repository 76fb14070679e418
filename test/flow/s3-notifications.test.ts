import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJob, terminalJob, upload } from './http-calls.ts';
import { type RunningJobwire, startJobwire } from './running-jobwire.ts';

const CITIES = 'city,people\nOslo,709037\nBergen,289330\n';

let jobwire: RunningJobwire;
beforeAll(async () => {
  jobwire = await startJobwire({ uploadEvents: 's3-notifications' });
});
afterAll(async () => {
  await jobwire.close();
});

test.each(['put', 'post'] as const)(
  'a job goes from upload to result when the bucket itself tells of it (%s)',
  async (method) => {
    const created = await createJob(jobwire.api, { size: CITIES.length, upload: method });
    expect((await upload(created, CITIES)).ok).toBe(true);
    const finished = await terminalJob(jobwire.api, created.job.id);
    expect(finished.history.map(({ status }) => status)).toEqual([
      'awaiting-upload',
      'queued',
      'running',
      'succeeded',
    ]);
    const result = await fetch(`${jobwire.api}/jobs/${created.job.id}/result`);
    expect(await result.json()).toMatchObject({ rows: 2 });
  },
);

test('a job is processed once, however often the bucket tells of its upload', async () => {
  const created = await createJob(jobwire.api, { size: CITIES.length });
  await Promise.all([upload(created, CITIES), upload(created, CITIES), upload(created, CITIES)]);
  const finished = await terminalJob(jobwire.api, created.job.id);
  await upload(created, CITIES);
  expect(await terminalJob(jobwire.api, created.job.id)).toEqual(finished);
  expect(finished.history.filter(({ status }) => status === 'running')).toHaveLength(1);
});
