import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '../../handlers/aws/clients.ts';
import { ResultsBucket } from '../../handlers/aws/results-bucket.ts';
import { UploadsBucket } from '../../handlers/aws/uploads-bucket.ts';
import { MemoryResults } from '../../handlers/memory/memory-results.ts';
import { MemoryUploads } from '../../handlers/memory/memory-uploads.ts';
import type { JobRecord } from '../../handlers/ports.ts';
import { systemClock } from '../../local/clock.ts';
import type { RunningService } from '../../local/services/running-service.ts';
import { startS3 } from '../../local/services/s3.ts';
import { knowing, owner } from '../local/services/caller.ts';
import { describeBuckets } from './buckets-suite.ts';
import { sampleRecord } from './sample-jobs.ts';

let directory: string;
let s3: RunningService;
let client: S3Client;
/** What the local S3 has to say to whoever runs it: nothing, whatever its clients do. */
const lines: string[] = [];
const saved = { ...process.env };
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-buckets-'));
  s3 = await startS3({
    port: 0,
    directory,
    buckets: [{ BucketName: 'uploads-bucket' }, { BucketName: 'results-bucket' }],
    principals: knowing(),
    clock: systemClock,
    onObjectCreated: () => {},
    log: (line) => lines.push(line),
  });
  // The client of the composition roots, told by the environment alone, as they are.
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: owner.accessKeyId,
    AWS_SECRET_ACCESS_KEY: owner.secretAccessKey,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
  });
  client = createS3Client();
});
afterAll(async () => {
  process.env = saved;
  client.destroy();
  await s3.close();
  await rm(directory, { recursive: true });
  expect(lines).toEqual([]);
});

describeBuckets('memory', async () => {
  const uploads = new MemoryUploads();
  const results = new MemoryResults();
  return {
    uploads,
    results,
    upload: async (record, body) => void uploads.put(record, body),
    uploadPart: async (record, partNumber, body) => uploads.putPart(record, partNumber, body).etag,
    download: async (record) => {
      const result = results.resultOf(record);
      return { body: Buffer.from(result?.body ?? []).toString(), contentType: result?.contentType ?? '' };
    },
  };
});

describeBuckets('the local S3', async () => {
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
    uploadPart: async (record, partNumber, body) => {
      const grant = await uploads.grant(record, new Date(Date.now() + 60_000).toISOString());
      if (grant.method !== 'MULTIPART') throw new Error('no parts were granted');
      const url = grant.parts.find((part) => part.partNumber === partNumber)?.url ?? '';
      const answer = await fetch(url, { method: 'PUT', body });
      expect(answer.status).toBe(200);
      return answer.headers.get('etag') ?? '';
    },
    download: async (_record, link) => {
      const answer = await fetch(link);
      expect(answer.headers.get('content-disposition')).toBe(
        "attachment; filename*=UTF-8''rows.csv.result.json",
      );
      return { body: await answer.text(), contentType: answer.headers.get('content-type') ?? '' };
    },
  };
});

describe('what the local S3 is sent with a grant', () => {
  const uploads = () => new UploadsBucket({ client, bucketName: 'uploads-bucket' });
  const soon = () => new Date(Date.now() + 60_000).toISOString();
  const body = 'a,b\n1,2\n3,4';
  const crc32 = (text: string): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(zlibCrc32(text));
    return bytes.toString('base64');
  };

  it.each(['put', 'post'] as const)('is refused by %s where it was damaged on its way', async (upload) => {
    for (const [sent, ok] of [
      [body.replace('1', '9'), false],
      [body, true],
    ] as const) {
      const record = sampleRecord({ upload, crc32: crc32(body) });
      const grant = await uploads().grant(record, soon());
      let answer: Response;
      if (grant.method === 'PUT') {
        answer = await fetch(grant.url, { method: 'PUT', body: sent, headers: grant.headers });
      } else if (grant.method === 'POST') {
        const form = new FormData();
        for (const [name, value] of Object.entries(grant.fields)) form.append(name, value);
        form.append('file', new Blob([sent]), 'f');
        answer = await fetch(grant.url, { method: 'POST', body: form });
      } else throw new Error('no parts were asked for');
      expect([answer.ok, (await answer.text()).includes('BadDigest')]).toEqual([ok, !ok]);
      expect((await uploads().inspect(record)) !== undefined).toBe(ok);
    }
  });

  it('is refused without the checksum that was announced', async () => {
    const grant = await uploads().grant(sampleRecord({ crc32: crc32(body) }), soon());
    if (grant.method !== 'PUT') throw new Error('a PUT was asked for');
    const answer = await fetch(grant.url, { method: 'PUT', body, headers: { 'content-type': 'text/csv' } });
    expect(answer.status).toBe(403);
  });

  it('is refused where a part has another size', async () => {
    const record = sampleRecord({ upload: 'multipart' });
    const uploadId = await uploads().begin(record.job);
    const grant = await uploads().grant({ ...record, uploadId }, soon());
    if (grant.method !== 'MULTIPART') throw new Error('parts were asked for');
    const answer = await fetch(grant.parts[0]?.url ?? '', { method: 'PUT', body: body.slice(1) });
    expect(answer.status).toBe(403);
    expect(await uploads().parts({ ...record, uploadId }, 1)).toEqual([]);
  });
});
