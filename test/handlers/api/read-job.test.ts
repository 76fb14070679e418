import { describe, expect, test } from 'vitest';
import { isKnown, readKnownTags, readWaitSeconds } from '../../../handlers/api/preconditions.ts';
import { parse } from '../../../protocol/invalid.ts';
import { JobSchema } from '../../../protocol/job.ts';
import { ApiSetting, problemOf } from './api-setting.ts';

describe('GET /jobs/{id}', () => {
  test('answers with the job, its entity tag, and when to ask again', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const response = await setting.request(`GET /jobs/${job.id}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe(`"${job.epoch}.1"`);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    expect(parse('the job', JobSchema, await response.json())).toEqual(job);
  });

  test('answers 304 to a client that has this state, 200 once the job has moved on', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const tag = `"${job.epoch}.1"`;
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const response = await setting.request(`GET /jobs/${job.id}`, { headers: { 'if-none-match': known } });
      expect([known, response.status, await response.text()]).toEqual([known, 304, '']);
      expect(response.headers.get('etag')).toBe(tag);
    }
    await setting.take(job.id, 'queued');
    const moved = await setting.request(`GET /jobs/${job.id}`, { headers: { 'if-none-match': tag } });
    expect([moved.status, moved.headers.get('etag')]).toEqual([200, `"${job.epoch}.2"`]);
  });

  test('says no Retry-After for a terminal job', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    await setting.take(job.id, 'queued', 'running', 'succeeded');
    const response = await setting.request(`GET /jobs/${job.id}`);
    expect(response.headers.get('retry-after')).toBeNull();
  });

  test('answers HEAD like GET without the body', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const response = await setting.request(`HEAD /jobs/${job.id}`);
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([
      200,
      `"${job.epoch}.1"`,
      '',
    ]);
  });

  test('knows no job that is past its time, nor one that never was', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    setting.advance(7 * 24 * 3_600_000);
    for (const id of [job.id, 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA', 'x', '%00', '..%2f']) {
      const response = await setting.request(`GET /jobs/${id}`);
      expect([id, (await problemOf(response)).code]).toEqual([id, 'not-found']);
    }
  });
});

describe('Prefer: wait', () => {
  async function waiting(prefer: string, options: { known?: string; remaining?: number } = {}) {
    const setting = new ApiSetting();
    const { job } = await setting.createJob();
    const headers = { prefer, 'if-none-match': options.known ?? `"${job.epoch}.1"` };
    const { remaining } = options;
    const bindings =
      remaining === undefined ? {} : { lambdaContext: { getRemainingTimeInMillis: () => remaining } };
    const ask = () => setting.request(`GET /jobs/${job.id}`, { headers, bindings });
    return { setting, job, ask };
  }

  test('holds the answer until the job moves on', async () => {
    const { setting, job, ask } = await waiting('wait=20');
    setting.onPause = () => (setting.pauses === 3 ? setting.take(job.id, 'queued') : undefined);
    const response = await ask();
    expect([response.status, setting.pauses]).toEqual([200, 3]);
    expect(response.headers.get('preference-applied')).toBe('wait=20');
  });

  test('answers 304 when the time is up, and never waits longer than 20 seconds', async () => {
    const { setting, ask } = await waiting('respond-async, wait=3600');
    const began = Date.parse(setting.at);
    const response = await ask();
    expect([response.status, Date.parse(setting.at) - began]).toEqual([304, 20_000]);
    expect(response.headers.get('preference-applied')).toBe('wait=20');
  });

  test('ends before Lambda would end it', async () => {
    const { setting, ask } = await waiting('wait=20', { remaining: 6_200 });
    const began = Date.parse(setting.at);
    expect((await ask()).status).toBe(304);
    expect(Date.parse(setting.at) - began).toBe(4_200);
  });

  test('does not wait for a terminal job, for nothing, or for a state that is old already', async () => {
    const terminal = await waiting('wait=20');
    await terminal.setting.request(`POST /jobs/${terminal.job.id}/cancel`);
    const known = `"${terminal.job.epoch}.2"`;
    const response = await terminal.setting.request(`GET /jobs/${terminal.job.id}`, {
      headers: { prefer: 'wait=20', 'if-none-match': known },
    });
    expect([response.status, terminal.setting.pauses]).toEqual([304, 0]);

    const star = await waiting('wait=20', { known: '*' });
    expect((await star.ask()).headers.get('preference-applied')).toBeNull();
    expect(star.setting.pauses).toBe(0);

    const old = await waiting('wait=20', { known: '"01JCXW3V6Q8Y2T5R9K4M7N0PZA.9"' });
    expect([(await old.ask()).status, old.setting.pauses]).toEqual([200, 0]);
  });

  test('answers 404 when the job goes while it is waited for', async () => {
    const { setting, job, ask } = await waiting('wait=20');
    setting.onPause = async () => setting.jobs.forget(job.id);
    expect((await problemOf(await ask())).code).toBe('not-found');
  });

  test.each([
    ['wait=5', 5],
    ['Wait = "7"; x=y', 7],
    ['handling=lenient, wait=99999999999999999999', 20],
    ['wait=-1', undefined],
    ['await=5', undefined],
    ['wait', undefined],
    ['', undefined],
  ])('reads %j as %j', (header, seconds) => {
    expect(readWaitSeconds(header)).toBe(seconds);
  });

  test('an If-None-Match that cannot be read knows nothing', () => {
    expect(isKnown('"a"', readKnownTags('a, W/a'))).toBe(false);
    expect(isKnown('"a"', readKnownTags(undefined))).toBe(false);
  });
});
