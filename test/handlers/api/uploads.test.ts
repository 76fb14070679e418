import { describe, expect, test } from 'vitest';
import type { JobRecord } from '../../../handlers/ports.ts';
import { type CreatedJob, type UploadState, UploadStateSchema } from '../../../protocol/http.ts';
import { parse } from '../../../protocol/invalid.ts';
import { type Job, JobSchema } from '../../../protocol/job.ts';
import { MAXIMUM_PART_URLS, partSizeOf, type UploadedPart } from '../../../protocol/upload.ts';
import { ApiSetting, problemOf } from './api-setting.ts';

const MIB = 1024 ** 2;
/** Three parts: 8, 8 and 4 MiB. */
const SIZE = 20 * MIB;

async function recordOf(setting: ApiSetting, id: string): Promise<JobRecord> {
  const record = await setting.jobs.read(id);
  if (record === undefined) throw new Error('the job is gone');
  return record;
}

async function multipartJob(setting: ApiSetting, size = SIZE): Promise<CreatedJob> {
  return await setting.createJob({ size, upload: 'multipart' });
}

async function putParts(setting: ApiSetting, id: string, ...numbers: number[]): Promise<UploadedPart[]> {
  const record = await recordOf(setting, id);
  return numbers.map((number) => setting.uploads.putPart(record, number, new Uint8Array([number])));
}

function complete(setting: ApiSetting, { job, token }: CreatedJob, parts: unknown): Promise<Response> {
  return setting.request(`POST /jobs/${job.id}/upload/complete`, { token, body: { parts } });
}

async function stateOf(setting: ApiSetting, id: string, query = ''): Promise<UploadState> {
  const response = await setting.request(`GET /jobs/${id}/upload${query}`);
  expect(response.status).toBe(200);
  return parse('the state', UploadStateSchema, await response.json());
}

describe('an upload in parts', () => {
  test('is chosen by itself above 100 MB, and has a day', async () => {
    const setting = new ApiSetting();
    const methodOf = async (body: object) => (await setting.createJob({ ...body })).upload?.method;
    expect(await methodOf({ size: 100_000_000 })).toBe('PUT');
    expect(await methodOf({ size: 100_000_001 })).toBe('MULTIPART');
    expect(await methodOf({ size: 100_000_001, upload: 'put' })).toBe('PUT');
    const { job, upload } = await multipartJob(setting);
    expect(upload).toMatchObject({ partSize: 8 * MIB, parts: [{ partNumber: 1 }, { partNumber: 2 }, {}] });
    const record = await recordOf(setting, job.id);
    expect(record.uploadId).toBe(setting.uploads.begun.at(-1));
    expect(Date.parse(record.uploadUntil) - Date.parse(job.createdAt)).toBe(24 * 3_600_000);
  });

  test('of the largest size has at most 10,000 parts, and their URLs come a few hundred at a time', async () => {
    const setting = new ApiSetting();
    const size = 5 * 1024 ** 4;
    const { job, upload } = await multipartJob(setting, size);
    if (upload?.method !== 'MULTIPART') throw new Error('parts were asked for');
    expect(upload.partSize).toBe(525 * MIB);
    expect(upload.parts).toHaveLength(MAXIMUM_PART_URLS);
    expect(upload.next).toBe(MAXIMUM_PART_URLS + 1);
    await putParts(setting, job.id, 9_985, 9_986);
    const { upload: last, uploaded } = await stateOf(setting, job.id, '?from=9980');
    if (last?.method !== 'MULTIPART') throw new Error('parts were asked for');
    expect(last.next).toBeUndefined();
    expect(uploaded.map(({ partNumber }) => partNumber)).toEqual([9_985, 9_986]);
    const count = Math.ceil(size / partSizeOf(size));
    expect(count).toBeLessThanOrEqual(10_000);
    expect(last.parts.map(({ partNumber }) => partNumber)).toEqual([
      9_980, 9_981, 9_982, 9_983, 9_984, 9_987,
    ]);
    expect(last.parts.at(-1)?.partNumber).toBe(count);
  });

  test('is completed by its parts, again, and after the job has gone on', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting);
    const parts = await putParts(setting, created.job.id, 1, 2, 3);
    for (let call = 0; call < 2; call += 1) {
      const response = await complete(setting, created, parts);
      expect(response.status).toBe(202);
      expect(parse('the job', JobSchema, await response.json()).id).toBe(created.job.id);
    }
    expect(await setting.uploads.inspect(await recordOf(setting, created.job.id))).toMatchObject({
      size: 3,
      tag: expect.stringMatching(/^"[0-9a-f]{32}-3"$/),
    });
    expect(await stateOf(setting, created.job.id)).toMatchObject({ complete: true, uploaded: [] });
    await setting.take(created.job.id, 'queued', 'running', 'succeeded');
    expect((await complete(setting, created, parts)).status).toBe(202);
    expect(await stateOf(setting, created.job.id)).toMatchObject({ complete: true });
  });

  test('is not completed by other parts, and can be completed afterwards', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting);
    const parts = await putParts(setting, created.job.id, 1, 2, 3);
    const wrong: [string, unknown, string][] = [
      ['a part is missing', parts.slice(0, 2), 'parts'],
      ['a gap', [parts[0], parts[2]], 'parts.1.partNumber'],
      ['twice', [parts[0], parts[0], parts[1]], 'parts.1.partNumber'],
      ['another order', [...parts].reverse(), 'parts.0.partNumber'],
      ['too many', [...parts, { partNumber: 4, etag: '"x"' }], 'parts'],
      ['none', [], 'parts'],
      ['no list', 'all', 'parts'],
      ['no tag', [{ partNumber: 1 }], 'parts.0.etag'],
      ['number 10,001', [{ partNumber: 10_001, etag: 'x' }], 'parts.0.partNumber'],
    ];
    for (const [what, body, path] of wrong) {
      const problem = await problemOf(await complete(setting, created, body));
      expect([what, problem.code, problem.issues?.[0]?.path]).toEqual([what, 'bad-request', path]);
    }
    const changed = parts.map((part) => ({ ...part, etag: '"00000000000000000000000000000000"' }));
    const problem = await problemOf(await complete(setting, created, changed));
    expect(problem).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('InvalidPart') });
    expect((await complete(setting, created, parts)).status).toBe(202);
  });

  test('is given up when the job is cancelled, also when S3 does not answer', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting);
    const parts = await putParts(setting, created.job.id, 1, 2, 3);
    const { abort } = setting.uploads;
    setting.uploads.abort = async () => {
      throw new Error('S3 is away');
    };
    const cancel = () => setting.request(`POST /jobs/${created.job.id}/cancel`, { token: created.token });
    expect((await cancel()).status).toBe(202);
    expect(setting.log.entries).toMatchObject([{ level: 'warn' }]);
    expect(setting.uploads.begun).toHaveLength(1);
    setting.uploads.abort = abort;
    expect((await cancel()).status).toBe(202);
    expect(setting.uploads.begun).toEqual([]);
    for (const response of [
      await complete(setting, created, parts),
      await setting.request(`GET /jobs/${created.job.id}/upload`),
    ]) {
      expect(await problemOf(response)).toMatchObject({ code: 'conflict', job: { status: 'cancelled' } });
    }
  });

  test('that the bucket has deleted is a conflict that says what to do', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting);
    const parts = await putParts(setting, created.job.id, 1, 2, 3);
    await setting.uploads.abort(await recordOf(setting, created.job.id));
    for (const response of [
      await complete(setting, created, parts),
      await setting.request(`GET /jobs/${created.job.id}/upload`),
    ]) {
      expect(await problemOf(response)).toMatchObject({
        code: 'conflict',
        detail: expect.stringContaining('make a new job'),
      });
    }
  });

  test('is begun anew by no repetition of its request', async () => {
    const setting = new ApiSetting();
    const headers = { 'idempotency-key': 'once' };
    const body = { size: SIZE, upload: 'multipart' };
    const first = await setting.createJob(body, { headers });
    await putParts(setting, first.job.id, 1);
    const second = await setting.createJob(body, { headers });
    expect(second.job).toEqual(first.job);
    expect(setting.uploads.begun).toHaveLength(1);
  });
});

describe('an upload in one request', () => {
  test('is granted anew while the job waits for it, and needs no completion', async () => {
    const setting = new ApiSetting();
    const created = await setting.createJob();
    expect(await stateOf(setting, created.job.id)).toMatchObject({
      complete: false,
      uploaded: [],
      upload: { method: 'PUT' },
    });
    const problem = await problemOf(await complete(setting, created, []));
    expect(problem).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('without a call') });
    setting.advance(3_600_000);
    expect((await problemOf(await setting.request(`GET /jobs/${created.job.id}/upload`))).code).toBe(
      'conflict',
    );
  });

  test.each(['0', '10001', 'x', '', '1.5', '-1'])('refuses ?from=%s', async (from) => {
    const setting = new ApiSetting();
    const { job } = await multipartJob(setting);
    const problem = await problemOf(await setting.request(`GET /jobs/${job.id}/upload?from=${from}`));
    expect(problem).toMatchObject({ code: 'bad-request', issues: [{ path: 'from' }] });
  });

  test('keeps the checksum that was announced, for every grant', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob({ crc32: '9NPsZg==' });
    expect((await recordOf(setting, job.id)).crc32).toBe('9NPsZg==');
  });
});

describe('the progress of an upload', () => {
  async function report(setting: ApiSetting, { job, token }: CreatedJob, sent: unknown): Promise<Job> {
    const response = await setting.request(`POST /jobs/${job.id}/upload/progress`, { token, body: { sent } });
    expect(response.status).toBe(202);
    return parse('the job', JobSchema, await response.json());
  }

  test('is the first half of the job’s, written at most once a second, and never goes back', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting, 1_000);
    expect((await report(setting, created, 10)).seq).toBe(1); // made in this very second
    setting.advance(1_000);
    expect(await report(setting, created, 100)).toMatchObject({
      seq: 2,
      progress: { done: 100, total: 1_000, unit: 'bytes', fraction: 0.05 },
      step: { name: 'upload' },
    });
    setting.advance(999);
    expect((await report(setting, created, 900)).seq).toBe(2);
    setting.advance(1);
    for (const old of [0, 50, 100]) expect((await report(setting, created, old)).seq).toBe(2);
    expect((await report(setting, created, 1_000)).progress?.fraction).toBe(0.5);
  });

  test('of reports that come together one is written', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting, 1_000);
    setting.advance(1_000);
    await Promise.all([500, 501, 502, 503].map((sent) => report(setting, created, sent)));
    expect((await recordOf(setting, created.job.id)).job.seq).toBe(2);
  });

  test('comes too late without harm, and tells the uploader of a cancelled job to stop', async () => {
    const setting = new ApiSetting();
    const created = await multipartJob(setting, 1_000);
    const cancelled = await multipartJob(setting, 1_000);
    await setting.take(created.job.id, 'queued');
    setting.advance(5_000);
    expect(await report(setting, created, 1_000)).toMatchObject({ status: 'queued', seq: 2 });
    await setting.request(`POST /jobs/${cancelled.job.id}/cancel`, { token: cancelled.token });
    const response = await setting.request(`POST /jobs/${cancelled.job.id}/upload/progress`, {
      body: { sent: 1 },
    });
    expect(await problemOf(response)).toMatchObject({ code: 'conflict', job: { status: 'cancelled' } });
  });

  test.each([-1, 1.5, 1_001, '5', null, Number.MAX_SAFE_INTEGER])('refuses %s bytes', async (sent) => {
    const setting = new ApiSetting();
    const { job } = await multipartJob(setting, 1_000);
    const response = await setting.request(`POST /jobs/${job.id}/upload/progress`, { body: { sent } });
    expect(await problemOf(response)).toMatchObject({ code: 'bad-request', issues: [{ path: 'sent' }] });
  });
});
