import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Clock } from '../../../local/clock.ts';
import type { RunningService } from '../../../local/services/running-service.ts';
import { type ServedRequest, startS3 } from '../../../local/services/s3.ts';
import type { ObjectCreated } from '../../../local/services/s3-object-created.ts';
import { callingAs, functionAllowed, knowing, type owner } from './caller.ts';

/** The page whose uploads the bucket of these tests allows. */
export const PAGE = 'http://127.0.0.1:3000';

/** May put and get under `uploads/`, and not list: what is missing is "denied" to it. */
export const api = functionAllowed('api', ['s3:PutObject', 's3:GetObject'], ['arn:aws:s3:::uploads/in/*']);

/** May read everything in the bucket, and list. */
export const processor = functionAllowed(
  'processor',
  ['s3:GetObject', 's3:ListBucket'],
  ['arn:aws:s3:::uploads/*', 'arn:aws:s3:::uploads'],
);

/** A running S3 with one bucket, and what it has told. */
export interface S3Fixture {
  readonly s3: RunningService;
  readonly directory: string;
  readonly created: ObjectCreated[];
  readonly served: ServedRequest[];
  readonly log: string[];
  clientOf(principal: typeof owner, settings?: Partial<S3ClientConfig>): S3Client;
  close(): Promise<void>;
}

/** Starts it in a directory of its own. */
export async function s3Fixture(clock: Clock): Promise<S3Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'jobwire-s3-'));
  const created: ObjectCreated[] = [];
  const served: ServedRequest[] = [];
  const log: string[] = [];
  const s3 = await startS3({
    port: 0,
    directory,
    buckets: [
      {
        BucketName: 'uploads',
        CorsRules: [
          {
            AllowedOrigins: [PAGE],
            AllowedMethods: ['PUT', 'POST', 'GET'],
            AllowedHeaders: ['content-type', 'x-amz-*'],
            ExposedHeaders: ['ETag'],
            MaxAge: 600,
          },
        ],
      },
      { BucketName: 'results' },
    ],
    principals: knowing(api, processor),
    clock,
    onObjectCreated: (event) => created.push(event),
    onServed: (request) => served.push(request),
    log: (line) => log.push(line),
  });
  const clients: S3Client[] = [];
  return {
    s3,
    directory,
    created,
    served,
    log,
    clientOf: (principal, settings = {}) => {
      const client = new S3Client({ ...callingAs(principal, s3.endpoint), ...settings });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.destroy();
      await s3.close();
      await rm(directory, { recursive: true });
    },
  };
}
