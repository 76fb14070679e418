import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { JobSetting } from './job-setting.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { record } from './setting.ts';

/* A page that was open while its server was deployed anew: the file that hears broadcasts is gone. */

const loading = vi.hoisted(() => ({ attempts: 0 }));
vi.mock('../../client/broadcast.ts', () => ({
  get open(): never {
    loading.attempts += 1;
    throw new TypeError('Failed to fetch dynamically imported module');
  },
}));

let setting: JobSetting;
beforeEach(async () => {
  loading.attempts = 0;
  setting = await JobSetting.start();
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

it('is polled around, told as trouble, and costs no ticket', async () => {
  const watch = setting.client.watchJob(jobId(1), { via: 'iot' });
  const { states, troubles } = record(watch);
  await setting.until(() => watch.connection.status === 'polling');
  expect(loading.attempts).toBe(3);
  expect(String(await troubles.next())).toContain('dynamically imported module');
  setting.server.commit(sampleJob(2, 'succeeded'));
  await setting.until(() => watch.connection.status === 'closed');
  expect((await watch.finished()).seq).toBe(2);
  expect(setting.server.requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
  const told: string[] = [];
  while (states.size > 0) told.push((await states.next()).status);
  expect(told).toEqual(['reconnecting', 'polling', 'closed']);
});

it('takes no ticket of a callback, by which nothing can be polled', async () => {
  const ticket = vi.fn(() => Promise.reject(new Error('not wanted')));
  const watch = setting.client.watchJob(jobId(1), { via: 'iot', ticket });
  await setting.until(() => watch.connection.status === 'stale');
  expect(ticket).not.toHaveBeenCalled();
  expect(setting.server.requests).toEqual([]);
});
