import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ResultsBucket } from '../../../handlers/aws/results-bucket.ts';
import { UploadsBucket } from '../../../handlers/aws/uploads-bucket.ts';
import { sampleRecord } from '../../conformance/sample-jobs.ts';

let answer: (response: ServerResponse) => void;
let ifMatch: string | undefined;
let ranges: (string | undefined)[] = [];
let server: Server;
let client: S3Client;
let uploads: UploadsBucket;
const record = { ...sampleRecord(), objectTag: '"tag"' };
const { signal } = new AbortController();

beforeAll(async () => {
  server = createServer((request, response) => {
    ifMatch = request.headers['if-match'];
    ranges.push(request.headers.range);
    request.resume();
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  client = new S3Client({
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  uploads = new UploadsBucket({ client, bucketName: 'uploads-bucket', resumeAfter: 1 });
});
afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

describe('what S3 answers', () => {
  const error = (status: number, code: string) => (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };

  it.each([
    [404, 'NoSuchKey', 'ObjectNotFoundError'],
    [404, 'NoSuchBucket', 'RefusedError'],
    [412, 'PreconditionFailed', 'ObjectChangedError'],
    [403, 'AccessDenied', 'RefusedError'],
    [503, 'SlowDown', 'UnavailableError'],
    [500, 'InternalError', 'UnavailableError'],
    [400, 'RequestTimeout', 'UnavailableError'],
  ])('%i %s to a reading is %s', async (status, code, name) => {
    answer = error(status, code);
    await expect(uploads.open(record, signal)).rejects.toMatchObject({ name, cause: expect.anything() });
    expect(ifMatch).toBe('"tag"');
  });

  it.each([
    [403, 'RefusedError'],
    [500, 'UnavailableError'],
  ])('%i to an inspection is %s, though its answer has no body', async (status, name) => {
    answer = (response) => response.writeHead(status).end();
    await expect(uploads.inspect(record)).rejects.toMatchObject({ name });
  });

  it('404 to an inspection means that nothing was uploaded', async () => {
    answer = (response) => response.writeHead(404).end();
    expect(await uploads.inspect(record)).toBeUndefined();
  });

  it('503 to a result is UnavailableError', async () => {
    answer = error(503, 'SlowDown');
    const results = new ResultsBucket({ client, bucketName: 'results-bucket' });
    const write = results.write(record, Buffer.from('{}'), 'application/json');
    await expect(write).rejects.toMatchObject({ name: 'UnavailableError' });
  });
});

describe('content that breaks off', () => {
  const whole = Buffer.from('0123456789'.repeat(10));
  beforeEach(() => {
    ranges = [];
  });
  /** Sends `bytes` of what is asked for, then cuts the connection. */
  const cutAfter =
    (bytes: number, tag = '"tag"') =>
    (response: ServerResponse): void => {
      const asked = /^bytes=(\d+)-(\d*)$/.exec(response.req.headers.range ?? '');
      const start = Number(asked?.[1] ?? 0);
      const last = Number(asked?.[2] || whole.length - 1);
      const end = Math.min(start + bytes, last + 1);
      response.writeHead(asked === null ? 200 : 206, {
        'content-length': String(last + 1 - start),
        ...(asked === null ? {} : { 'content-range': `bytes ${start}-${last}/${whole.length}` }),
        etag: tag,
      });
      const rest = whole.subarray(start, end);
      if (end === last + 1) response.end(rest);
      else if (bytes === 0) response.flushHeaders();
      else response.write(rest);
      if (end < last + 1) setImmediate(() => response.socket?.end());
    };

  it('is asked for from there on, and its reader gets every byte once', async () => {
    answer = cutAfter(30);
    expect(await text(await uploads.open(record, signal))).toBe(whole.toString());
    expect(ranges).toEqual([undefined, 'bytes=30-', 'bytes=60-', 'bytes=90-']);
    expect(ifMatch).toBe('"tag"');
  });

  it('of a range is asked for up to its end, and an answer that is no range is refused', async () => {
    answer = cutAfter(30);
    const range = { from: 5, to: 71 };
    expect(await text(await uploads.open(record, signal, range))).toBe(whole.subarray(5, 71).toString());
    expect(ranges).toEqual(['bytes=5-70', 'bytes=35-70', 'bytes=65-70']);
    answer = (response) => response.writeHead(200, { etag: '"tag"' }).end(whole);
    await expect(uploads.open(record, signal, { from: 0, to: 5 })).rejects.toMatchObject({
      name: 'MalformedDataError',
    });
  });

  it('is held to the object that was begun with, also where no tag was named', async () => {
    answer = cutAfter(60);
    expect(await text(await uploads.open(sampleRecord(), signal))).toBe(whole.toString());
    expect(ifMatch).toBe('"tag"');
  });

  it('and is another one by then is ObjectChangedError', async () => {
    let answers = 0;
    answer = (response) => cutAfter(30, answers++ === 0 ? '"tag"' : '"other"')(response);
    const stream = await uploads.open(record, signal);
    await expect(text(stream)).rejects.toMatchObject({ name: 'ObjectChangedError' });
    answers = 0;
    answer = (response) => {
      if (answers++ === 0) cutAfter(30)(response);
      else response.writeHead(412).end();
    };
    await expect(text(await uploads.open(record, signal))).rejects.toMatchObject({
      name: 'ObjectChangedError',
    });
  });

  it('is UnavailableError to its reader when not a byte more comes', async () => {
    let answers = 0;
    answer = (response) => {
      if (answers++ === 0) cutAfter(30)(response);
      else response.socket?.destroy();
    };
    const stream = await uploads.open(record, signal);
    await expect(text(stream)).rejects.toMatchObject({ name: 'UnavailableError', service: 'S3' });
    expect(ranges).toEqual([undefined, ...Array.from({ length: 4 }, () => 'bytes=30-')]);
  });

  it('is no content from somewhere else: a server that does not know ranges', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': '100', etag: '"tag"' });
      response.write(whole.subarray(0, 30));
      setImmediate(() => response.socket?.end());
    };
    await expect(text(await uploads.open(record, signal))).rejects.toMatchObject({
      name: 'MalformedDataError',
    });
  });

  it('is not asked for again once the reader has stopped', async () => {
    answer = cutAfter(30);
    const controller = new AbortController();
    const stream = await uploads.open(record, controller.signal);
    controller.abort(new Error('stopped'));
    await expect(text(stream)).rejects.toThrow('stopped');
    expect(ranges).toEqual([undefined]);
  });
});
