import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { owner } from './caller.ts';
import { api, PAGE, processor, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const Bucket = 'uploads';
// The SDK signs with the machine's time.
const clock = new ManualClock(Date.now());
let fixture: S3Fixture;

beforeAll(async () => {
  fixture = await s3Fixture(clock);
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.created.length = 0;
});

const signer = () => fixture.clientOf(api, { requestChecksumCalculation: 'WHEN_REQUIRED' });
const codeOf = async (response: Response) => /<Code>(.*)<\/Code>/.exec(await response.text())?.[1];
const head = (Key: string) => fixture.clientOf(owner).send(new HeadObjectCommand({ Bucket, Key }));

describe('a presigned PUT', () => {
  const presign = (Key: string) =>
    getSignedUrl(
      signer(),
      new PutObjectCommand({
        Bucket,
        Key,
        ContentType: 'text/csv',
        ContentLength: 5,
        Metadata: { job: 'one' },
      }),
      { expiresIn: 60, signableHeaders: new Set(['content-type']) },
    );
  const put = (url: string, body: string, contentType = 'text/csv') =>
    fetch(url, { method: 'PUT', body, headers: { 'content-type': contentType, origin: PAGE } });

  it('takes exactly the size and type that were signed', async () => {
    const url = await presign('in/put.csv');
    const good = await put(url, 'a,b\n1');
    expect(good.status).toBe(200);
    expect(good.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(good.headers.get('access-control-expose-headers')).toBe('ETag');
    expect(await head('in/put.csv')).toMatchObject({ ContentType: 'text/csv', Metadata: { job: 'one' } });
    for (const [body, contentType] of [
      ['longer', 'text/csv'],
      ['less', 'text/csv'],
      ['a,b\n1', 'text/html'],
    ] as const) {
      const bad = await put(url, body, contentType);
      expect(bad.status).toBe(403);
      expect(bad.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(await codeOf(bad)).toBe('SignatureDoesNotMatch');
    }
    expect(fixture.created).toHaveLength(1);
  });

  it('is refused when the URL was changed, or has headers that were not signed', async () => {
    const url = await presign('in/put.csv');
    expect(await codeOf(await put(url.replace('put.csv', 'other.csv'), 'a,b\n1'))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(
      await codeOf(
        await put(
          url.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
          'a,b\n1',
        ),
      ),
    ).toBe('SignatureDoesNotMatch');
    const extra = await fetch(url, {
      method: 'PUT',
      body: 'a,b\n1',
      headers: { 'content-type': 'text/csv', 'x-amz-meta-owner': 'me' },
    });
    expect(await codeOf(extra)).toBe('AccessDenied');
    expect(fixture.created).toEqual([]);
  });

  it('is refused once the URL has expired', async () => {
    const url = await presign('in/late.csv');
    clock.advance(59_000);
    expect((await put(url, 'a,b\n1')).status).toBe(200);
    clock.advance(3_000);
    const late = await put(url, 'a,b\n1');
    expect(late.status).toBe(403);
    expect(await late.text()).toContain('Request has expired');
    clock.advance(-62_000);
  });

  it('needs the permission of whoever signed, when it is used', async () => {
    const url = await getSignedUrl(signer(), new PutObjectCommand({ Bucket, Key: 'elsewhere/x' }));
    expect(await codeOf(await fetch(url, { method: 'PUT', body: 'x' }))).toBe('AccessDenied');
  });

  it('needs a length', async () => {
    const url = await getSignedUrl(signer(), new PutObjectCommand({ Bucket, Key: 'in/endless' }));
    const body = Readable.toWeb(Readable.from(['x']));
    // "half" is what fetch asks for with a stream; the types of Node do not have it.
    const endless = await fetch(url, { method: 'PUT', body, duplex: 'half' } as unknown as RequestInit);
    expect(endless.status).toBe(411);
    expect(fixture.created).toEqual([]);
  });
});

describe('a presigned GET', () => {
  it('gives the file under the name and type that were signed', async () => {
    await fixture.clientOf(owner).send(new PutObjectCommand({ Bucket, Key: 'in/result', Body: '{}' }));
    const url = await getSignedUrl(
      fixture.clientOf(processor),
      new GetObjectCommand({
        Bucket,
        Key: 'in/result',
        ResponseContentDisposition: "attachment; filename*=UTF-8''r%C3%A9sultat(1)!.json",
        ResponseContentType: 'application/json',
      }),
    );
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toBe(
      "attachment; filename*=UTF-8''r%C3%A9sultat(1)!.json",
    );
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await response.text()).toBe('{}');
    expect((await fetch(url.replace('application%2Fjson', 'text%2Fhtml'))).status).toBe(403);
  });
});

describe('a presigned POST', () => {
  const presign = (overrides: Partial<Parameters<typeof createPresignedPost>[1]> = {}) =>
    createPresignedPost(signer(), {
      Bucket,
      Key: 'in/form.csv',
      Conditions: [['content-length-range', 3, 10]],
      Fields: { 'Content-Type': 'text/csv', 'x-amz-meta-job': 'one' },
      Expires: 60,
      ...overrides,
    });
  const post = (
    { url, fields }: PresignedPost,
    content: string,
    change: (form: FormData) => void = () => undefined,
  ) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    change(form);
    form.append('file', new Blob([content]), 'my.csv');
    return fetch(url, { method: 'POST', body: form, headers: { origin: PAGE } });
  };

  it('stores the file with the fields of the form', async () => {
    const answer = await post(await presign(), 'a,b\n1');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(answer.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await head('in/form.csv')).toMatchObject({
      ContentLength: 5,
      ContentType: 'text/csv',
      Metadata: { job: 'one' },
    });
    expect(fixture.created).toMatchObject([{ key: 'in/form.csv', reason: 'POST Object', size: 5 }]);
  });

  it('knows ${filename}, starts-with, and the status of success', async () => {
    const signed = await presign({
      Key: 'in/${filename}',
      Conditions: [['starts-with', '$Content-Type', 'text/'], { success_action_status: '201' }],
      Fields: { success_action_status: '201' },
    });
    const typed = (type: string) => (form: FormData) => form.set('Content-Type', type);
    const created = await post(signed, 'x', typed('text/plain'));
    expect(created.status).toBe(201);
    expect(await created.text()).toContain('<Key>in/my.csv</Key>');
    const refused = await post(signed, 'x', typed('image/png'));
    expect(refused.status).toBe(403);
    expect(await refused.text()).toMatch(
      /Invalid according to Policy: Policy Condition failed: .*starts-with/,
    );
  });

  it('takes ${filename} as empty for a file that has a type and no name', async () => {
    const { url, fields } = await presign({ Key: 'in/no-name${filename}' });
    const part = (disposition: string, content: string) =>
      `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
    const form = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value));
    const file = part('name="file"\r\nContent-Type: application/octet-stream', 'a,b\n1');
    const body = `${form.join('')}${file}--b--\r\n`;
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    expect((await fetch(url, { method: 'POST', body, headers })).status).toBe(204);
    expect(await head('in/no-name')).toMatchObject({ ContentLength: 5 });
  });

  it('refuses sizes out of range, with 400', async () => {
    const large = await post(await presign(), 'x'.repeat(11));
    expect([large.status, await codeOf(large)]).toEqual([400, 'EntityTooLarge']);
    const small = await post(await presign(), 'xx');
    expect([small.status, await codeOf(small)]).toEqual([400, 'EntityTooSmall']);
    const huge = await post(await presign(), 'x'.repeat(20_000_000));
    expect([huge.status, await codeOf(huge)]).toEqual([400, 'EntityTooLarge']);
    expect(huge.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(fixture.created).toEqual([]);
  });

  it.each<[string, (form: FormData) => void, string]>([
    [
      'a field that is not in the policy',
      (form) => form.set('x-amz-meta-extra', '1'),
      'Extra input fields: x-amz-meta-extra',
    ],
    ['another key', (form) => form.set('key', 'in/other'), 'Policy Condition failed'],
    ['another type', (form) => form.set('Content-Type', 'text/html'), 'Policy Condition failed'],
    ['a missing field', (form) => form.delete('x-amz-meta-job'), 'Policy Condition failed'],
    ['another signature', (form) => form.set('X-Amz-Signature', '0'.repeat(64)), 'SignatureDoesNotMatch'],
    [
      'another policy',
      (form) => form.set('Policy', btoa('{"expiration":"2099-01-01T00:00:00Z","conditions":[]}')),
      'SignatureDoesNotMatch',
    ],
    ['no policy', (form) => form.delete('Policy'), 'AccessDenied'],
    [
      'an unknown signer',
      (form) => form.set('X-Amz-Credential', 'AKIANOBODY/20260101/us-east-1/s3/aws4_request'),
      'InvalidAccessKeyId',
    ],
  ])('refuses %s, with 403', async (_name, change, expected) => {
    const answer = await post(await presign(), 'a,b\n1', change);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain(expected);
    expect(fixture.created).toEqual([]);
  });

  it('refuses an expired policy', async () => {
    const signed = await presign();
    clock.advance(61_000);
    const late = await post(signed, 'a,b\n1');
    clock.advance(-61_000);
    expect(late.status).toBe(403);
    expect(await late.text()).toContain('Invalid according to Policy: Policy expired.');
  });

  it('needs the permission of whoever signed', async () => {
    expect(await codeOf(await post(await presign({ Key: 'elsewhere/x' }), 'a,b\n1'))).toBe('AccessDenied');
  });

  it('takes the file last, and one of it', async () => {
    const signed = await presign();
    const early = new FormData();
    early.append('file', new Blob(['a,b\n1']), 'my.csv');
    for (const [name, value] of Object.entries(signed.fields)) early.set(name, value);
    const noKey = await fetch(signed.url, { method: 'POST', body: early });
    expect(noKey.status).toBe(400);
    expect(await noKey.text()).toContain('check the order of the fields');
    const twice = await post(signed, 'second', (form) => form.append('file', new Blob(['first']), 'a.csv'));
    expect(await codeOf(twice)).toBe('IncorrectNumberOfFilesInPostRequest');
    const none = new FormData();
    for (const [name, value] of Object.entries(signed.fields)) none.set(name, value);
    expect((await fetch(signed.url, { method: 'POST', body: none })).status).toBe(400);
    expect(fixture.created).toEqual([]);
  });

  it('leaves nothing when the page goes away in the middle of the file', async () => {
    const { url, fields } = await presign({ Key: 'in/cut.csv', Conditions: [] });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.append('file', new Blob(['x'.repeat(100_000)]), 'my.csv');
    const { headers, body } = new Request(url, { method: 'POST', body: form });
    const bytes = Buffer.from(await new Response(body).arrayBuffer());
    const incoming = join(fixture.directory, 'incoming');
    const socket = connect(fixture.s3.port, '127.0.0.1');
    socket.write(
      `POST /${Bucket} HTTP/1.1\r\nHost: x\r\nContent-Type: ${headers.get('content-type')}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, 50_000));
    await vi.waitFor(async () => expect(await readdir(incoming)).toHaveLength(1), { interval: 5 });
    socket.destroy();
    await vi.waitFor(async () => expect(await readdir(incoming)).toEqual([]), { interval: 5 });
    await expect(head('in/cut.csv')).rejects.toMatchObject({ name: 'NotFound' });
    expect(fixture.created).toEqual([]);
  });

  it('refuses what is no form, a form that is cut off, too much before the file, and keys that lead out', async () => {
    const signed = await presign();
    expect(await codeOf(await fetch(signed.url, { method: 'POST', body: '{}' }))).toBe('PreconditionFailed');
    const cut = await fetch(signed.url, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nin/x',
    });
    expect(await codeOf(cut)).toBe('MalformedPOSTRequest');
    const much = await post(signed, 'a,b\n1', (form) => form.set('x-ignore-this', 'x'.repeat(21_000)));
    expect(await codeOf(much)).toBe('MaxPostPreDataLengthExceededError');
    const outside = await post(signed, 'a,b\n1', (form) => form.set('key', '../../outside'));
    expect(await codeOf(outside)).toBe('InvalidURI');
    expect(fixture.created).toEqual([]);
  });
});

describe('a preflight', () => {
  const preflight = (headers: Record<string, string>, path = '/uploads/in/x') =>
    fetch(`${fixture.s3.endpoint}${path}`, { method: 'OPTIONS', headers });

  it('is answered for the page of the rule', async () => {
    const answer = await preflight({
      origin: PAGE,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type, X-Amz-Meta-Job',
    });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'PUT, POST, GET',
      'access-control-allow-headers': 'content-type, x-amz-meta-job',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    });
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'another origin',
      { origin: 'http://evil.example', 'access-control-request-method': 'PUT' },
      '/uploads/x',
    ],
    ['another method', { origin: PAGE, 'access-control-request-method': 'DELETE' }, '/uploads/x'],
    [
      'another header',
      { origin: PAGE, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-other' },
      '/uploads/x',
    ],
    ['a bucket without rules', { origin: PAGE, 'access-control-request-method': 'PUT' }, '/results/x'],
  ])('is refused for %s', async (_name, headers, path) => {
    const answer = await preflight(headers, path);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});
