import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect } from 'vitest';
import { createS3Client } from '../../handlers/aws/clients.ts';
import { ResultsBucket } from '../../handlers/aws/results-bucket.ts';
import { UploadsBucket } from '../../handlers/aws/uploads-bucket.ts';
import { MemoryResults } from '../../handlers/memory/memory-results.ts';
import { MemoryUploads } from '../../handlers/memory/memory-uploads.ts';
import type { JobRecord } from '../../handlers/ports.ts';
import { describeBuckets } from './buckets-suite.ts';

let directory: string;
let server: Server;
let client: S3Client;
const saved = { ...process.env };
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-buckets-'));
  const s3 = new S3rver({ directory, silent: true, vhostBuckets: false });
  for (const bucket of ['uploads-bucket', 'results-bucket']) await s3.store.putBucket(bucket);
  const answer = s3.callback();
  server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  // The client of the composition roots, told by the environment alone, as they are.
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${address.port}`,
  });
  client = createS3Client();
});
afterAll(async () => {
  process.env = saved;
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await rm(directory, { recursive: true });
});

describeBuckets('memory', async () => {
  const uploads = new MemoryUploads();
  const results = new MemoryResults();
  return {
    uploads,
    results,
    upload: async (record, body) => void uploads.put(record, body),
    download: async (record) => {
      const result = results.resultOf(record);
      return { body: Buffer.from(result?.body ?? []).toString(), contentType: result?.contentType ?? '' };
    },
  };
});

describeBuckets('s3rver', async () => {
  const uploads = new UploadsBucket({ client, bucketName: 'uploads-bucket' });
  const results = new ResultsBucket({ client, bucketName: 'results-bucket' });
  async function upload(record: JobRecord, body: string): Promise<void> {
    const announced = {
      ...record,
      job: { ...record.job, input: { fileName: 'f', contentType: 'text/csv', size: body.length } },
    };
    const grant = await uploads.grant(announced, new Date(Date.now() + 60_000).toISOString());
    if (grant.method === 'PUT') {
      const answer = await fetch(grant.url, { method: 'PUT', body, headers: grant.headers });
      expect(answer.status).toBe(200);
    } else if (grant.method === 'POST') {
      const form = new FormData();
      for (const [name, value] of Object.entries(grant.fields)) form.append(name, value);
      form.append('file', new Blob([body]), 'f');
      expect((await fetch(grant.url, { method: 'POST', body: form })).status).toBe(201);
    }
  }
  return {
    uploads,
    results,
    upload,
    download: async (_record, link) => {
      const answer = await fetch(link);
      expect(answer.headers.get('content-disposition')).toBe(
        "attachment; filename*=UTF-8''rows.csv.result.json",
      );
      return { body: await answer.text(), contentType: answer.headers.get('content-type') ?? '' };
    },
  };
});
