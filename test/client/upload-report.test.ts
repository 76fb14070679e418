import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HttpApi } from '../../client/http.ts';
import { UploadReporter } from '../../client/upload-report.ts';
import type { CreatedJob } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import { ApiSetting } from '../handlers/api/api-setting.ts';
import { ManualClock } from './manual-clock.ts';

let setting: ApiSetting;
let clock: ManualClock;
let created: CreatedJob;
let bodies: string[];
let fail: () => Response | undefined;
let ended: Job[];
let reporter: UploadReporter;

beforeEach(async () => {
  setting = new ApiSetting();
  clock = new ManualClock();
  created = await setting.createJob({ size: 1_000 });
  bodies = [];
  fail = () => undefined;
  ended = [];
  const api = new HttpApi('http://api.invalid', async (url, init) => {
    bodies.push(String(init?.body));
    return fail() ?? (await setting.api.request(url, init));
  });
  const target = { api, id: created.job.id, token: created.token };
  reporter = new UploadReporter({ clock, target, ended: (job) => ended.push(job) });
});
afterEach(() => reporter.stop());

/** Time passes, here and at the API; answers once as many reports as expected have been sent and answered. */
async function pass(milliseconds: number, reports: number): Promise<void> {
  setting.advance(milliseconds);
  clock.advance(milliseconds);
  await vi.waitUntil(() => bodies.length === reports && (clock.pending > 0 || ended.length > 0));
}

async function progress() {
  return (await setting.jobs.read(created.job.id))?.job.progress;
}

it('tells the newest figure, at most once in 1.2 seconds, and nothing when there is no news', async () => {
  for (const sent of [10, 20, 30]) reporter.note(sent);
  await pass(1_199, 0);
  await pass(1, 1);
  expect(await progress()).toEqual({ done: 30, total: 1_000, unit: 'bytes', fraction: 0.015 });
  await pass(1_200, 1);
  reporter.note(500);
  reporter.note(600);
  await pass(1_200, 2);
  expect(bodies).toEqual(['{"sent":30}', '{"sent":600}']);
  expect((await progress())?.fraction).toBe(0.3);
});

it('goes on after a report that failed, and says then what is newest', async () => {
  fail = () => new Response('', { status: 503 });
  reporter.note(10);
  await pass(1_200, 1);
  expect(await progress()).toBeUndefined();
  fail = () => undefined;
  reporter.note(40);
  await pass(1_200, 2);
  expect((await progress())?.done).toBe(40);
});

it('hears of the end of the job, once', async () => {
  await setting.request(`POST /jobs/${created.job.id}/cancel`, { token: created.token });
  reporter.note(10);
  await pass(1_200, 1);
  expect(ended.map(({ status }) => status)).toEqual(['cancelled']);
  expect(clock.pending).toBe(0);
});

it('asks every five seconds whether anybody still waits where nothing moves, and writes nothing by it', async () => {
  const seq = async () => (await setting.jobs.read(created.job.id))?.job.seq;
  const before = await seq();
  await pass(3_600, 0);
  await pass(1_200, 1);
  expect(bodies).toEqual(['{"sent":0}']);
  expect(await seq()).toBe(before);
  await setting.request(`POST /jobs/${created.job.id}/cancel`, { token: created.token });
  await pass(3_600, 1);
  await pass(1_200, 2);
  expect(ended.map(({ status }) => status)).toEqual(['cancelled']);
});

it('is silent once it is stopped', async () => {
  reporter.note(10);
  reporter.stop();
  expect(clock.pending).toBe(0);
  clock.advance(10_000);
  expect(bodies).toEqual([]);
});
