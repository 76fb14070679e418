import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../local/clock.ts';
import { owner } from './caller.ts';
import { api, processor, type S3Fixture, s3Fixture } from './s3-fixture.ts';

let fixture: S3Fixture;
const Bucket = 'uploads';

beforeAll(async () => {
  fixture = await s3Fixture(systemClock);
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.created.length = 0;
});

const md5 = (bytes: string | Buffer) => createHash('md5').update(bytes).digest('hex');
const client = () => fixture.clientOf(owner);
async function textOf(Key: string, range?: string) {
  const { Body } = await client().send(new GetObjectCommand({ Bucket, Key, ...(range && { Range: range }) }));
  return Body?.transformToString();
}

describe('an object', () => {
  it('goes in from text, bytes and a stream (the SDK adds checksums, in headers and in a trailer)', async () => {
    const Key = 'in/a b+c/ü(1)!.txt';
    await client().send(
      new PutObjectCommand({ Bucket, Key, Body: 'text', ContentType: 'text/plain', Metadata: { job: '1' } }),
    );
    expect(await textOf(Key)).toBe('text');
    await client().send(new PutObjectCommand({ Bucket, Key: 'in/bytes', Body: Buffer.from([0, 255]) }));
    const chunks = Array.from({ length: 40 }, (_, index) => Buffer.alloc(20_000, index));
    const whole = Buffer.concat(chunks);
    const { ETag } = await client().send(
      new PutObjectCommand({
        Bucket,
        Key: 'in/stream',
        Body: Readable.from(chunks),
        ContentLength: whole.length,
        ContentType: 'text/csv',
      }),
    );
    expect(ETag).toBe(`"${md5(whole)}"`);
    const { Body, ContentLength, ContentType, ContentEncoding } = await client().send(
      new GetObjectCommand({ Bucket, Key: 'in/stream' }),
    );
    expect({ ContentLength, ContentType, ContentEncoding }).toEqual({
      ContentLength: whole.length,
      ContentType: 'text/csv',
      ContentEncoding: undefined,
    });
    expect(md5(Buffer.from((await Body?.transformToByteArray()) ?? []))).toBe(md5(whole));
    expect(await client().send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({
      ContentLength: 4,
      ContentType: 'text/plain',
      ETag: `"${md5('text')}"`,
      Metadata: { job: '1' },
    });
  });

  it('is counted as it is read: each request, with the bytes of its answer', async () => {
    const key = 'in/counted';
    await client().send(new PutObjectCommand({ Bucket, Key: key, Body: '0123456789' }));
    fixture.served.length = 0;
    await textOf(key);
    await textOf(key, 'bytes=2-5');
    await expect(textOf('in/nothing-there')).rejects.toThrow();
    await vi.waitFor(() => expect(fixture.served).toHaveLength(3));
    const operation = { kind: 'get', bucket: Bucket, key };
    expect(fixture.served).toMatchObject([
      { operation, status: 200, bytes: 10 },
      { operation, status: 206, bytes: 4 },
      { operation: { kind: 'get', key: 'in/nothing-there' }, status: 404 },
    ]);
  });

  it('is told of once, with what S3 tells, when it can be read', async () => {
    await client().send(new PutObjectCommand({ Bucket, Key: 'in/told +1', Body: 'abc' }));
    await client().send(new PutObjectCommand({ Bucket, Key: 'in/told +1', Body: 'abcd' }));
    expect(fixture.created).toEqual([
      expect.objectContaining({
        bucket: Bucket,
        key: 'in/told +1',
        size: 3,
        etag: md5('abc'),
        reason: 'PutObject',
        requester: '000000000000',
        sourceIp: '127.0.0.1',
        sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
      }),
      expect.objectContaining({ size: 4, etag: md5('abcd') }),
    ]);
    const [first, second] = fixture.created.map(({ sequencer }) => sequencer);
    expect(String(second) > String(first)).toBe(true);
  });

  it('is read in ranges', async () => {
    await client().send(new PutObjectCommand({ Bucket, Key: 'in/range', Body: '0123456789' }));
    expect(await textOf('in/range', 'bytes=2-4')).toBe('234');
    expect(await textOf('in/range', 'bytes=0-0')).toBe('0');
    expect(await textOf('in/range', 'bytes=7-')).toBe('789');
    expect(await textOf('in/range', 'bytes=-3')).toBe('789');
    expect(await textOf('in/range', 'bytes=8-100')).toBe('89');
    const part = await client().send(new GetObjectCommand({ Bucket, Key: 'in/range', Range: 'bytes=0-0' }));
    expect(part).toMatchObject({ ContentLength: 1, ContentRange: 'bytes 0-0/10' });
    part.Body?.transformToString();
    await expect(textOf('in/range', 'bytes=10-')).rejects.toMatchObject({
      $metadata: { httpStatusCode: 416 },
    });
  });

  it('is read only if it is the one that was meant', async () => {
    const { ETag } = await client().send(new PutObjectCommand({ Bucket, Key: 'in/if', Body: 'x' }));
    const same = await client().send(new GetObjectCommand({ Bucket, Key: 'in/if', IfMatch: ETag }));
    expect(await same.Body?.transformToString()).toBe('x');
    await expect(
      client().send(new GetObjectCommand({ Bucket, Key: 'in/if', IfMatch: '"other"' })),
    ).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
  });

  it('is the one that was meant also while the same bytes are written again', async () => {
    const s3 = client();
    const put = () => s3.send(new PutObjectCommand({ Bucket, Key: 'in/again', Body: 'x' }));
    const { ETag } = await put();
    let writing = true;
    const writes = (async () => {
      for (let count = 0; count < 60; count += 1) await put();
      writing = false;
    })();
    while (writing) {
      const read = await s3.send(new GetObjectCommand({ Bucket, Key: 'in/again', IfMatch: ETag }));
      expect(await read.Body?.transformToString()).toBe('x');
    }
    await writes;
  });

  it('is not overwritten by a write that may not', async () => {
    const put = (Body: string) =>
      client().send(new PutObjectCommand({ Bucket, Key: 'in/once', Body, IfNoneMatch: '*' }));
    const outcomes = await Promise.allSettled([put('one'), put('two')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(put('three')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(fixture.created).toHaveLength(1);
  });

  it('can be listed, copied and deleted; deleting what is not there is fine', async () => {
    await client().send(new PutObjectCommand({ Bucket, Key: 'list/one', Body: '1' }));
    await client().send(new CopyObjectCommand({ Bucket, Key: 'list/two', CopySource: 'uploads/list/one' }));
    expect(fixture.created.at(-1)).toMatchObject({
      key: 'list/two',
      reason: 'CopyObject',
      size: 1,
      etag: md5('1'),
    });
    const list = () => client().send(new ListObjectsV2Command({ Bucket, Prefix: 'list/' }));
    expect((await list()).Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['list/one', 1],
      ['list/two', 1],
    ]);
    await client().send(new DeleteObjectCommand({ Bucket, Key: 'list/one' }));
    await client().send(new DeleteObjectCommand({ Bucket, Key: 'list/one' }));
    expect((await list()).Contents?.map(({ Key }) => Key)).toEqual(['list/two']);
  });

  it('that is missing is named so', async () => {
    await expect(textOf('in/none')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(client().send(new HeadObjectCommand({ Bucket, Key: 'in/none' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    await expect(
      client().send(new PutObjectCommand({ Bucket: 'no-such', Key: 'k', Body: 'x' })),
    ).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

describe('permissions', () => {
  it('are those of the function', async () => {
    const caller = fixture.clientOf(api);
    await caller.send(new PutObjectCommand({ Bucket, Key: 'in/granted', Body: 'x' }));
    const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };
    await expect(
      caller.send(new PutObjectCommand({ Bucket, Key: 'out/refused', Body: 'x' })),
    ).rejects.toMatchObject({
      ...denied,
      message: expect.stringMatching(
        /assumed-role\/api is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::uploads\/out\/refused/,
      ),
    });
    await expect(caller.send(new DeleteObjectCommand({ Bucket, Key: 'in/granted' }))).rejects.toMatchObject(
      denied,
    );
    await expect(caller.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(denied);
    expect(fixture.created.map(({ key }) => key)).toEqual(['in/granted']);
    await expect(textOf('out/refused')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('to list decide whether a missing object is "missing" or "denied"', async () => {
    const get = new GetObjectCommand({ Bucket, Key: 'in/missing' });
    await expect(fixture.clientOf(processor).send(get)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(fixture.clientOf(api).send(get)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('belong to nobody who does not sign, signs wrongly, or is unknown', async () => {
    expect((await fetch(`${fixture.s3.endpoint}/uploads/in/granted`)).status).toBe(403);
    expect((await fetch(`${fixture.s3.endpoint}/uploads/x`, { method: 'PUT', body: 'x' })).status).toBe(403);
    const wrong = { ...owner, secretAccessKey: 'wrong' };
    const get = new GetObjectCommand({ Bucket, Key: 'in/granted' });
    await expect(fixture.clientOf(wrong).send(get)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    const unknown = { ...owner, accessKeyId: 'AKIAUNKNOWN' };
    await expect(fixture.clientOf(unknown).send(get)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  });
});

describe('a multipart upload', () => {
  const part = Buffer.alloc(5 * 1024 * 1024, 'p');

  it('becomes one object with one event', async () => {
    const Key = 'in/parts';
    const { UploadId } = await client().send(
      new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'text/csv' }),
    );
    const put = async (PartNumber: number, Body: Buffer) => {
      const { ETag } = await client().send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }),
      );
      return { PartNumber, ETag };
    };
    const last = Buffer.from('the end');
    const Parts = [await put(1, part), await put(2, last)];
    const complete = (parts: typeof Parts) =>
      client().send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }),
      );
    const listed = await client().send(new ListPartsCommand({ Bucket, Key, UploadId }));
    expect(listed.IsTruncated).toBe(false);
    expect(listed.Parts).toMatchObject([
      { ...Parts[0], Size: part.length },
      { ...Parts[1], Size: last.length },
    ]);
    const second = await client().send(
      new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: '1', MaxParts: 1 }),
    );
    expect(second.Parts).toMatchObject([{ PartNumber: 2 }]);
    await expect(complete([{ PartNumber: 1, ETag: '"other"' }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await expect(complete([...Parts].reverse())).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    expect(fixture.created).toEqual([]);
    const digests = Buffer.concat([part, last].map((bytes) => createHash('md5').update(bytes).digest()));
    const etag = `${md5(digests)}-2`;
    expect((await complete(Parts)).ETag).toBe(`"${etag}"`);
    expect(fixture.created).toMatchObject([
      { key: Key, reason: 'CompleteMultipartUpload', size: part.length + last.length, etag },
    ]);
    expect(await client().send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({
      ContentLength: part.length + last.length,
      ContentType: 'text/csv',
      ETag: `"${etag}"`,
    });
    await expect(complete(Parts)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('needs parts of 5 MiB, and can be given up', async () => {
    const Key = 'in/given-up';
    const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const { ETag } = await client().send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: 'small' }),
      );
      Parts.push({ PartNumber, ETag });
    }
    await expect(
      client().send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      ),
    ).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await client().send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    await expect(
      client().send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 3, Body: 'x' })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect(fixture.created).toEqual([]);
  });
});

describe('a part that is on its way while its upload is given up', () => {
  it('is not kept', async () => {
    const Key = 'in/late-part';
    const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key }));
    // Looked for by its path: to list a folder while it is being removed fails.
    const parts = join(fixture.directory, 'buckets', Bucket, '._S3rver_uploads', `${UploadId}`);
    expect(existsSync(parts)).toBe(true);
    const url = await getSignedUrl(
      fixture.clientOf(owner, { requestChecksumCalculation: 'WHEN_REQUIRED' }),
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1 }),
    );
    const request = httpRequest(url, { method: 'PUT', headers: { 'content-length': 2 } });
    const response = once(request, 'response');
    request.write('a');
    await vi.waitUntil(async () => (await readdir(join(fixture.directory, 'incoming'))).length > 0);
    await fixture.clientOf(owner).send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    request.end('b');
    await response;
    await vi.waitUntil(() => !existsSync(parts));
  });
});

describe('what is no good', () => {
  it('is refused: operations that are not known, and keys that lead out of the bucket', async () => {
    await expect(
      client().send(new GetObjectTaggingCommand({ Bucket, Key: 'in/granted' })),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(
      client().send(new CopyObjectCommand({ Bucket, Key: 'in/x', CopySource: 'uploads/../../secrets' })),
    ).rejects.toMatchObject({ name: 'InvalidURI' });
    const socket = connect(fixture.s3.port, '127.0.0.1');
    socket.end('GET /uploads/../results/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await text(socket)).toContain('<Code>InvalidURI</Code>');
  });

  it('is refused: a body that is not what its checksum says, and nothing is stored', async () => {
    const url = await getSignedUrl(
      fixture.clientOf(owner, { requestChecksumCalculation: 'WHEN_REQUIRED' }),
      new PutObjectCommand({
        Bucket,
        Key: 'in/checked',
        ChecksumSHA256: createHash('sha256').update('good').digest('base64'),
      }),
      { unhoistableHeaders: new Set(['x-amz-checksum-sha256']) },
    );
    const put = (body: string) =>
      fetch(url, {
        method: 'PUT',
        body,
        headers: { 'x-amz-checksum-sha256': createHash('sha256').update('good').digest('base64') },
      });
    const bad = await put('evil');
    expect(bad.status).toBe(400);
    expect(await bad.text()).toContain('<Code>BadDigest</Code>');
    await expect(textOf('in/checked')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(fixture.created).toEqual([]);
    expect((await put('good')).status).toBe(200);
    expect(await textOf('in/checked')).toBe('good');
  });

  it('leaves nothing: an upload whose client goes away in the middle', async () => {
    await client().send(new PutObjectCommand({ Bucket, Key: 'in/cut', Body: 'the old one' }));
    fixture.created.length = 0;
    const url = new URL(
      await getSignedUrl(
        fixture.clientOf(owner, { requestChecksumCalculation: 'WHEN_REQUIRED' }),
        new PutObjectCommand({ Bucket, Key: 'in/cut' }),
      ),
    );
    const incoming = join(fixture.directory, 'incoming');
    const socket = connect(fixture.s3.port, '127.0.0.1');
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(500)}`,
    );
    await vi.waitFor(async () => expect(await readdir(incoming)).toHaveLength(1), { interval: 5 });
    socket.destroy();
    await vi.waitFor(async () => expect(await readdir(incoming)).toEqual([]), { interval: 5 });
    expect(await textOf('in/cut')).toBe('the old one');
    expect(fixture.created).toEqual([]);
    expect(fixture.log.filter((line) => line.includes('Error'))).toEqual([]);
  });
});
