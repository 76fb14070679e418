import { S3Client } from '@aws-sdk/client-s3';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ResultsBucket } from '../../../handlers/aws/results-bucket.ts';
import { UploadsBucket } from '../../../handlers/aws/uploads-bucket.ts';
import { UploadSchema } from '../../../protocol/http.ts';
import { MADE_AT, sampleRecord, secondsLater } from '../../conformance/sample-jobs.ts';

const settings = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'test', sessionToken: 'session' },
  requestChecksumCalculation: 'WHEN_REQUIRED',
} as const;
const client = new S3Client(settings);
const bucket = new UploadsBucket({ client, bucketName: 'uploads-bucket', now: () => new Date(MADE_AT) });
const PolicySchema = v.object({ expiration: v.string(), conditions: v.array(v.unknown()) });

describe('a grant by PUT', () => {
  it('signs the very size and type, and names only headers that a browser may set', async () => {
    const record = sampleRecord();
    const grant = await bucket.grant(record, secondsLater(900));
    if (grant.method !== 'PUT') throw new Error('a PUT was asked for');
    expect(v.is(UploadSchema, grant)).toBe(true);
    expect(grant.headers).toEqual({ 'content-type': 'text/csv' });
    const url = new URL(grant.url);
    expect(url.host).toBe('uploads-bucket.s3.us-east-1.amazonaws.com');
    expect(url.pathname).toBe(`/uploads/${record.job.id}/${record.job.epoch}`);
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('900');
    expect([...url.searchParams.keys()].filter((name) => name.includes('checksum'))).toEqual([]);
  });

  it('never lives longer than S3 allows, nor shorter than a second', async () => {
    const lifeOf = async (until: string) => {
      const grant = await bucket.grant(sampleRecord(), until);
      return grant.method === 'PUT' ? new URL(grant.url).searchParams.get('X-Amz-Expires') : undefined;
    };
    expect(await lifeOf(secondsLater(30 * 86_400))).toBe('604800');
    expect(await lifeOf(secondsLater(-5))).toBe('1');
  });

  it('goes by path where the endpoint is an address', async () => {
    const local = new S3Client({ ...settings, endpoint: 'http://127.0.0.1:4567' });
    const uploads = new UploadsBucket({
      client: local,
      bucketName: 'uploads-bucket',
      now: () => new Date(MADE_AT),
    });
    const record = sampleRecord();
    const grants = [
      await uploads.grant(record, secondsLater(60)),
      await uploads.grant({ ...record, upload: 'post' }, secondsLater(60)),
    ];
    for (const grant of grants) {
      if (grant.method === 'MULTIPART') throw new Error('no parts were asked for');
      expect(grant.url.startsWith('http://127.0.0.1:4567/uploads-bucket')).toBe(true);
    }
    const link = await new ResultsBucket({ client: local, bucketName: 'results-bucket' }).link(record, 60);
    expect(link.startsWith(`http://127.0.0.1:4567/results-bucket/results/${record.job.id}/`)).toBe(true);
  });
});

describe('a grant with a checksum', () => {
  it('signs it as a header of a PUT, never in the query, where S3 would ignore it', async () => {
    const grant = await bucket.grant(sampleRecord({ crc32: '9NPsZg==' }), secondsLater(900));
    if (grant.method !== 'PUT') throw new Error('a PUT was asked for');
    expect(grant.headers).toEqual({ 'content-type': 'text/csv', 'x-amz-checksum-crc32': '9NPsZg==' });
    const query = new URL(grant.url).searchParams;
    expect(query.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host;x-amz-checksum-crc32');
    expect([...query.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
  });

  it('makes it a field of a form', async () => {
    const grant = await bucket.grant(sampleRecord({ upload: 'post', crc32: '9NPsZg==' }), secondsLater(900));
    if (grant.method !== 'POST') throw new Error('a POST was asked for');
    expect(grant.fields).toMatchObject({
      'x-amz-checksum-algorithm': 'CRC32',
      'x-amz-checksum-crc32': '9NPsZg==',
    });
  });
});

describe('a grant by POST', () => {
  it('allows one key, one type, one size, until the job expires', async () => {
    const record = sampleRecord({ upload: 'post' });
    const before = Date.now();
    const grant = await bucket.grant(record, secondsLater(900));
    if (grant.method !== 'POST') throw new Error('a POST was asked for');
    expect(v.is(UploadSchema, grant)).toBe(true);
    const key = `uploads/${record.job.id}/${record.job.epoch}`;
    expect(grant.fields).toMatchObject({ key, 'Content-Type': 'text/csv', success_action_status: '201' });
    const policy = v.parse(
      PolicySchema,
      JSON.parse(Buffer.from(grant.fields['Policy'] ?? '', 'base64').toString()),
    );
    expect(policy.conditions).toEqual(
      expect.arrayContaining([
        ['content-length-range', 11, 11],
        { key },
        { 'Content-Type': 'text/csv' },
        { success_action_status: '201' },
        { bucket: 'uploads-bucket' },
      ]),
    );
    // createPresignedPost takes its seconds from the system's clock.
    const life = Date.parse(policy.expiration) - before;
    expect(life).toBeGreaterThan(898_000);
    expect(life).toBeLessThan(905_000);
  });
});

describe('a grant by parts', () => {
  const size = 8 * 1024 ** 2 + 1;

  it('signs the very size of each part', async () => {
    const input = { fileName: 'f.csv', contentType: 'text/csv', size };
    const record = { ...sampleRecord({ upload: 'multipart', input }), uploadId: 'the-id' };
    const grant = await bucket.grant(record, secondsLater(900));
    if (grant.method !== 'MULTIPART') throw new Error('parts were asked for');
    expect(v.is(UploadSchema, grant)).toBe(true);
    expect(grant.partSize).toBe(8 * 1024 ** 2);
    expect(grant.next).toBeUndefined();
    expect(grant.parts.map(({ partNumber }) => partNumber)).toEqual([1, 2]);
    for (const { partNumber, url } of grant.parts) {
      const query = new URL(url).searchParams;
      expect(query.get('partNumber')).toBe(String(partNumber));
      expect(query.get('uploadId')).toBe('the-id');
      expect(query.get('X-Amz-SignedHeaders')).toBe('content-length;host');
      expect([...query.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
    }
    const rest = await bucket.grant(record, secondsLater(900), { from: 1, uploaded: new Set([1]) });
    expect(rest).toMatchObject({ parts: [{ partNumber: 2 }] });
  });

  it('needs the id of the upload', async () => {
    const record = sampleRecord({ upload: 'multipart' });
    await expect(bucket.grant(record, secondsLater(60))).rejects.toMatchObject({
      name: 'InvalidReportError',
      message: expect.stringContaining('uploadId'),
    });
  });
});
