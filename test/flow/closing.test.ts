import { expect, it } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { createJob, upload } from './http-calls.ts';
import { csvRows } from './large-csv.ts';
import { startJobwire } from './running-jobwire.ts';

it('does not wait for the work of a job when it is stopped', async () => {
  const jobwire = await startJobwire();
  // Some forty megabytes: seconds of work.
  const content = csvRows(500_000);
  const created = await createJob(jobwire.api, { size: content.byteLength });
  const running = Promise.withResolvers<void>();
  const watch = createJobwireClient({ api: jobwire.api }).watchJob(created.job.id, { token: created.token });
  watch.on((event) => {
    if (event.type === 'job' && event.job.status === 'running') running.resolve();
  });
  await upload(created, content);
  await running.promise;
  watch.close();
  await jobwire.close();
  const interrupted = jobwire.reports.find(({ functionName }) => functionName.includes('ProcessFunction'));
  expect(interrupted?.outcome).not.toBe('returned');
});
