import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import { byeFrame, errorFrame, jobFrame } from '../protocol/frames.ts';
import {
  type CreatedJob,
  type CreateJobInput,
  type JobPage,
  type Problem,
  problem,
  type Ticket,
  type UploadState,
} from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import type { ResultLink } from '../protocol/result-link.ts';
import type { JobWatchers } from '../protocol/watchers.ts';
import type { HTTP_SCHEMAS } from './schemas.ts';

/** What the documents show. Every example passes the parser of its kind (test/documents/documents.test.ts). */

const TICKET = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm9ueW1vdXMifQ.c2lnbmF0dXJl';
const SOCKET = 'wss://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1';
const BUCKET = 'https://uploads.s3.eu-central-1.amazonaws.com';

/** A job that waits for its payload. */
export const AWAITING_JOB: Job = {
  id: 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA',
  kind: 'csv-profile',
  epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZB',
  seq: 1,
  status: 'awaiting-upload',
  stalled: false,
  input: { fileName: 'orders.csv', contentType: 'text/csv', size: 314_572_800 },
  tags: ['nightly'],
  createdAt: '2026-11-23T10:15:30.123Z',
  updatedAt: '2026-11-23T10:15:30.123Z',
  expiresAt: '2026-11-30T10:15:30.123Z',
  history: [{ status: 'awaiting-upload', at: '2026-11-23T10:15:30.123Z', seq: 1 }],
};

/** The same job in the middle of its work. */
export const RUNNING_JOB: Job = {
  ...AWAITING_JOB,
  seq: 17,
  status: 'running',
  progress: { done: 40_000, total: 100_000, unit: 'rows', fraction: 0.4 },
  step: { name: 'profile', index: 2, count: 3 },
  message: 'profiling column 7 of 18',
  updatedAt: '2026-11-23T10:15:42.017Z',
  startedAt: '2026-11-23T10:15:38.980Z',
  history: [
    ...AWAITING_JOB.history,
    { status: 'queued', at: '2026-11-23T10:15:37.412Z', seq: 2 },
    { status: 'running', at: '2026-11-23T10:15:38.980Z', seq: 3 },
  ],
};

/** The same job after somebody has cancelled it. */
export const CANCELLED_JOB: Job = {
  ...RUNNING_JOB,
  seq: 18,
  status: 'cancelled',
  updatedAt: '2026-11-23T10:15:43.500Z',
  finishedAt: '2026-11-23T10:15:43.500Z',
  history: [...RUNNING_JOB.history, { status: 'cancelled', at: '2026-11-23T10:15:43.500Z', seq: 18 }],
};

const { id, epoch } = RUNNING_JOB;

/** The frames of a client, by message; the first of each is the plainest. */
export const CLIENT_EXAMPLES: Readonly<Record<ClientFrame['type'], readonly ClientFrame[]>> = {
  subscribe: [
    { type: 'subscribe', id: '1', job: id },
    { type: 'subscribe', id: '2', job: id, since: { epoch, seq: 12 } },
    { type: 'subscribe', id: '3', topic: 'owner:me' },
    { type: 'subscribe', id: '4', topic: 'tag:nightly' },
  ],
  unsubscribe: [
    { type: 'unsubscribe', id: '5', job: id },
    { type: 'unsubscribe', id: '6', topic: 'owner:me' },
  ],
  ping: [{ type: 'ping' }, { type: 'ping', id: '7', heads: { [id]: 17 } }],
};

/** The frames of a server, by message. */
export const SERVER_EXAMPLES: Readonly<Record<ServerFrame['type'], readonly ServerFrame[]>> = {
  subscribed: [
    { type: 'subscribed', id: '1', job: RUNNING_JOB },
    { type: 'subscribed', id: '2', head: { job: id, epoch, seq: 12 } },
    { type: 'subscribed', id: '3', topic: 'owner:me' },
  ],
  job: [jobFrame(RUNNING_JOB)],
  pong: [{ type: 'pong' }, { type: 'pong', id: '7' }],
  unsubscribed: [{ type: 'unsubscribed', id: '5' }],
  error: [
    errorFrame('not-found', { id: '1', detail: 'there is no such job' }),
    errorFrame('internal', { id: '7', retryAfterMs: 1000 }),
  ],
  bye: [byeFrame(3001, { retryAfterMs: 2000 }), byeFrame(3507)],
};

const watch = { url: SOCKET, ticket: TICKET, protocols: ['jobwire.v1', `ticket.${TICKET}`] };

const createJob: CreateJobInput = {
  kind: 'csv-profile',
  fileName: 'orders.csv',
  contentType: 'text/csv',
  size: 314_572_800,
  upload: 'put',
  tags: ['nightly'],
};
const createdJob: CreatedJob = {
  job: AWAITING_JOB,
  upload: {
    method: 'PUT',
    url: `${BUCKET}/uploads/${id}/${epoch}?X-Amz-Signature=…`,
    headers: { 'content-type': 'text/csv' },
  },
  token: 'eyJhbGciOiJIUzI1NiJ9.eyJqb2IiOiJqb2IifQ.c2lnbmF0dXJl',
  watch,
};
const jobPage: JobPage = {
  jobs: [RUNNING_JOB],
  cursor: 'eyJqb2IiOiJqb2JfMDFKQ1hXM1Y2UThZMlQ1UjlLNE03TjBQWkEifQ',
};
const ticket: Ticket = { ...watch, expiresAt: '2026-11-23T10:16:30.123Z' };
const uploadState: UploadState = {
  job: { ...AWAITING_JOB, seq: 4 },
  complete: false,
  uploaded: [{ partNumber: 1, etag: '"9b2cf535f27731c974343645a3985328"', size: 8_388_608 }],
  upload: {
    method: 'MULTIPART',
    partSize: 8_388_608,
    parts: [{ partNumber: 2, url: `${BUCKET}/uploads/${id}/${epoch}?partNumber=2&X-Amz-Signature=…` }],
  },
};
const completeUpload = {
  parts: [
    { partNumber: 1, etag: '"9b2cf535f27731c974343645a3985328"' },
    { partNumber: 2, etag: '"c4ca4238a0b923820dcc509a6f75849b"' },
  ],
};
const resultLink: ResultLink = {
  url: 'https://results.s3.eu-central-1.amazonaws.com/results/…?X-Amz-Signature=…',
  expiresAt: '2026-11-23T10:17:30.123Z',
};
const jobWatchers: JobWatchers = {
  watchers: [
    {
      id: 'pX3vN0hKd81Q',
      topic: 'job',
      since: '2026-11-23T10:15:31.004Z',
      confirmed: { seq: 17, at: '2026-11-23T10:15:56.020Z' },
    },
    { id: '0yTgR5mWb2cA', topic: 'owner', since: '2026-11-23T09:58:12.640Z' },
  ],
  count: 2,
};
const conflict: Problem = problem('conflict', {
  detail: 'The job is succeeded; it cannot be cancelled',
  job: CANCELLED_JOB,
});

/** Bodies of requests and answers, by schema. */
export const HTTP_EXAMPLES: Readonly<Partial<Record<keyof typeof HTTP_SCHEMAS, unknown>>> = {
  CreateJob: createJob,
  CreatedJob: createdJob,
  Job: RUNNING_JOB,
  JobPage: jobPage,
  Ticket: ticket,
  UploadState: uploadState,
  UploadProgress: { sent: 8_388_608 },
  CompleteUpload: completeUpload,
  ResultLink: resultLink,
  JobWatchers: jobWatchers,
  Problem: conflict,
};
