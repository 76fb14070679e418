import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ResultsBucket } from '../../../handlers/aws/results-bucket.ts';
import { UploadsBucket } from '../../../handlers/aws/uploads-bucket.ts';
import { sampleRecord } from '../../conformance/sample-jobs.ts';

let answer: (response: ServerResponse) => void;
let ifMatch: string | undefined;
let server: Server;
let client: S3Client;
let uploads: UploadsBucket;
const record = { ...sampleRecord(), objectTag: '"tag"' };
const { signal } = new AbortController();

beforeAll(async () => {
  server = createServer((request, response) => {
    ifMatch = request.headers['if-match'];
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
  uploads = new UploadsBucket({ client, bucketName: 'uploads-bucket' });
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

  it('content that breaks off is UnavailableError to its reader', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': '1000', etag: '"tag"' });
      response.write('some', () => response.socket?.resetAndDestroy());
    };
    const stream = await uploads.open(record, signal);
    await expect(text(stream)).rejects.toMatchObject({ name: 'UnavailableError', service: 'S3' });
  });
});
