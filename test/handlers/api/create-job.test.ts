import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../../handlers/api/job-id.ts';
import { UnavailableError } from '../../../handlers/errors.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import type { Deadline } from '../../../handlers/queue-messages.ts';
import { CreatedJobSchema } from '../../../protocol/http.ts';
import { parse } from '../../../protocol/invalid.ts';
import { ApiSetting, BODY, problemOf } from './api-setting.ts';

describe('POST /jobs', () => {
  test('makes a job, grants its upload, and says how to watch it', async () => {
    const setting = new ApiSetting();
    const response = await setting.request('POST /jobs', { body: { ...BODY, tags: ['nightly'] } });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const created = parse('the answer', CreatedJobSchema, await response.json());
    const { job, upload, watch, token } = created;
    expect(response.headers.get('location')).toBe(`/jobs/${job.id}`);
    expect(job).toMatchObject({ status: 'awaiting-upload', seq: 1, tags: ['nightly'], kind: 'csv-profile' });
    expect(job.expiresAt).toBe('2026-11-30T12:00:00.000Z');
    expect(upload).toMatchObject({ method: 'PUT' });
    expect(watch.url).toBe('wss://socket.invalid/live');
    expect(watch.protocols).toEqual(['jobwire.v1', `ticket.${watch.ticket}`]);
    expect(await setting.tokens.verifyTicket(watch.ticket)).toEqual({
      kind: 'job',
      subject: 'anonymous',
      job: job.id,
    });
    expect(await setting.tokens.verifyJobToken(token)).toEqual({ job: job.id, owner: 'anonymous' });
    expect((await setting.jobs.read(job.id))?.uploadUntil).toBe('2026-11-23T13:15:00.000Z');
    expect(setting.deadlines.waiting).toEqual([
      { message: { job: job.id, epoch: job.epoch }, delaySeconds: 900 },
    ]);
  });

  test('grants a form where the upload is by POST', async () => {
    const { upload } = await new ApiSetting().createJob({ upload: 'post' });
    expect(upload).toMatchObject({ method: 'POST' });
  });

  test.each([
    ['no JSON', '{"kind":', {}, 'bad-request', 400],
    ['not an object', '[]', {}, 'bad-request', 400],
    ['no body', '', {}, 'bad-request', 400],
    [
      'another content type',
      JSON.stringify(BODY),
      { 'content-type': 'text/plain' },
      'unsupported-media-type',
      415,
    ],
    ['a body of 65 KB', JSON.stringify({ ...BODY, extra: 'x'.repeat(66_000) }), {}, 'too-large', 413],
    ['an unknown kind', JSON.stringify({ ...BODY, kind: 'mine-bitcoin' }), {}, 'bad-request', 400],
    [
      'more than 5 GiB by PUT',
      JSON.stringify({ ...BODY, size: 5 * 1024 ** 3 + 1, upload: 'put' }),
      {},
      'too-large',
      413,
    ],
    ['more than 5 TiB', JSON.stringify({ ...BODY, size: 5 * 1024 ** 4 + 1 }), {}, 'too-large', 413],
    ['an empty file', JSON.stringify({ ...BODY, size: 0 }), {}, 'bad-request', 400],
    ['a path as file name', JSON.stringify({ ...BODY, fileName: '../a.csv' }), {}, 'bad-request', 400],
    ['a checksum of other bytes', JSON.stringify({ ...BODY, crc32: 'AAAAAAA=' }), {}, 'bad-request', 400],
    [
      'a checksum of parts',
      JSON.stringify({ ...BODY, crc32: 'AAAAAA==', upload: 'multipart' }),
      {},
      'bad-request',
      400,
    ],
    ['a key that is not ASCII', JSON.stringify(BODY), { 'idempotency-key': 'é' }, 'bad-request', 400],
  ])('refuses %s and writes nothing', async (_what, body, headers, code, status) => {
    const setting = new ApiSetting();
    const response = await setting.request('POST /jobs', { body, headers });
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ code, retryable: false });
    expect(setting.deadlines.waiting).toEqual([]);
    expect((await setting.jobs.list('anonymous', { limit: 1 })).records).toEqual([]);
  });

  test('names the kinds on offer, and the fields that are wrong', async () => {
    const setting = new ApiSetting();
    const unknown = await problemOf(
      await setting.request('POST /jobs', { body: { ...BODY, kind: 'other' } }),
    );
    expect(unknown.detail).toContain('csv-profile');
    const wrong = await problemOf(
      await setting.request('POST /jobs', { body: { ...BODY, size: 'x', tags: ['a:b'] } }),
    );
    expect(wrong.issues?.map((issue) => issue.path)).toEqual(['size', 'tags.0']);
  });

  test('keeps a problem small however much is wrong', async () => {
    const tags = Array.from({ length: 1_000 }, (_, index) => `${index}:${'x'.repeat(40)}`);
    const response = await new ApiSetting().request('POST /jobs', { body: { ...BODY, tags } });
    expect((await response.clone().text()).length).toBeLessThan(16_384);
    expect((await problemOf(response)).issues).toHaveLength(20);
  });
});

describe('Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'upload 17' };

  test('gives the same job for the same request, one deadline, and fresh credentials', async () => {
    const setting = new ApiSetting();
    const first = await setting.createJob({}, { headers });
    setting.advance(1_000);
    const second = await setting.createJob({}, { headers });
    expect(second.job).toEqual(first.job);
    expect(second.upload).toEqual(first.upload);
    expect(second.watch.ticket).not.toBe(first.watch.ticket);
    expect(setting.deadlines.waiting).toHaveLength(1);
  });

  test('refuses another body with 409 and the job', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob({}, { headers });
    const response = await setting.request('POST /jobs', { body: { ...BODY, size: 12 }, headers });
    expect(response.status).toBe(409);
    expect(await problemOf(response)).toMatchObject({ code: 'conflict', job: { id: job.id } });
    expect(setting.deadlines.waiting).toHaveLength(1);
  });

  test('grants no second upload once the upload is over', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob({}, { headers });
    await setting.take(job.id, 'queued');
    const again = await setting.createJob({}, { headers });
    expect(again.job).toMatchObject({ id: job.id, status: 'queued' });
    expect(again.upload).toBeUndefined();
  });

  test('grants no upload whose time is up, though the sweep has not come yet', async () => {
    const setting = new ApiSetting();
    await setting.createJob({}, { headers });
    setting.advance(3_600_000);
    expect((await setting.createJob({}, { headers })).upload).toBeUndefined();
  });

  test('is told apart by owner', async () => {
    const setting = new ApiSetting({ auth: 'authorizer' });
    const ann = await setting.createJob({}, { headers, subject: 'ann' });
    const bob = await setting.createJob({}, { headers, subject: 'bob' });
    expect(ann.job.id).not.toBe(bob.job.id);
  });

  test('makes one job for requests at the same moment', async () => {
    const setting = new ApiSetting();
    const created = await Promise.all(Array.from({ length: 8 }, () => setting.createJob({}, { headers })));
    expect(new Set(created.map(({ job }) => `${job.id} ${job.epoch}`)).size).toBe(1);
    expect((await setting.jobs.list('anonymous', { limit: 10 })).records).toHaveLength(1);
    // Whoever lost the race has sent a deadline for an epoch that never was; the winner's is among them.
    const epochs = setting.deadlines.waiting.map(({ message }) => message.epoch);
    expect(epochs).toContain(created[0]?.job.epoch);
  });

  test('refuses the key of a job that is past its time but not deleted yet', async () => {
    const setting = new ApiSetting();
    const { job } = await setting.createJob({}, { headers });
    setting.advance(7 * 24 * 3_600_000);
    const response = await setting.request('POST /jobs', { body: BODY, headers });
    expect(await problemOf(response)).toMatchObject({ code: 'conflict' });
    setting.jobs.forget(job.id);
    const anew = await setting.createJob({}, { headers });
    expect(anew.job.id).toBe(job.id);
    expect(anew.job.epoch > job.epoch).toBe(true);
  });
});

describe('what may fail while a job is made', () => {
  test('no job without its deadline: the deadline is sent first', async () => {
    const setting = new ApiSetting();
    setting.deadlines.failNext(new UnavailableError('SQS'));
    const response = await setting.request('POST /jobs', { body: BODY });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problemOf(response)).toMatchObject({ code: 'internal', retryable: true });
    expect((await setting.jobs.list('anonymous', { limit: 1 })).records).toEqual([]);
    expect(setting.log.entries).toMatchObject([{ level: 'error', fields: { path: '/jobs' } }]);
  });

  test('a deadline chain is begun for every job, whatever sends fail', async () => {
    const deadlines = new MemoryQueue<Deadline>();
    const setting = new ApiSetting({ deadlines });
    const headers = { 'idempotency-key': 'k' };
    deadlines.failNext(new UnavailableError('SQS'));
    await setting.request('POST /jobs', { body: BODY, headers });
    const { job } = await setting.createJob({}, { headers });
    expect(deadlines.waiting.map(({ message }) => message.epoch)).toEqual([job.epoch]);
  });

  test('the fingerprint tells every field apart', () => {
    const request = { ...BODY, upload: 'put' as const, tags: ['a'] };
    const others = [
      { ...request, kind: 'other' },
      { ...request, fileName: 'b.csv' },
      { ...request, contentType: 'text/plain' },
      { ...request, size: 12 },
      { ...request, upload: 'post' as const },
      { ...request, tags: ['b'] },
    ];
    expect(new Set([request, ...others].map(fingerprintOf)).size).toBe(7);
  });
});
