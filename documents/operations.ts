import type { ProblemCode } from '../protocol/error-codes.ts';
import { DEFAULT_PAGE, MAXIMUM_PAGE, MAXIMUM_WAIT_SECONDS } from '../protocol/http.ts';
import { RESULT_LINK_TYPE } from '../protocol/result-link.ts';
import { MAXIMUM_PARTS } from '../protocol/upload.ts';
import type { JsonSchema } from './json-schema.ts';
import type { HTTP_SCHEMAS } from './schemas.ts';

/** Something beside the body that a request may say. */
export interface Parameter {
  readonly in: 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: JsonSchema;
}

/** What a call may be answered with, other than a problem. */
export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly body?: keyof typeof HTTP_SCHEMAS;
  /** `application/json` unless it says another. */
  readonly contentType?: string;
  /** Headers that mean something here, and what. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A call of the HTTP table. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Whether the token of a job may stand for the caller. */
  readonly jobToken: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: keyof typeof HTTP_SCHEMAS;
  readonly answers: readonly Answer[];
  /** The problems beside those that any call may end in: `unauthorized`, `internal`. */
  readonly problems: readonly ProblemCode[];
}

const ENTITY_TAG = { ETag: 'The state: `"<epoch>.<seq>"`.' } as const;

/** Every call of the contract. That they are those of the function and of the template is tested. */
export const OPERATIONS: readonly Operation[] = [
  {
    id: 'createJob',
    method: 'POST',
    path: '/jobs',
    summary: 'Asks for a job',
    description:
      'Makes a job that awaits its upload, and says how to upload the payload and how to watch the job.',
    jobToken: false,
    parameters: [
      {
        in: 'header',
        name: 'Idempotency-Key',
        description:
          'The same key with the same body gives the same job, with fresh credentials; with another body it is a conflict.',
        schema: { type: 'string', minLength: 1, maxLength: 255 },
      },
    ],
    body: 'CreateJob',
    answers: [
      {
        status: 201,
        description: 'The job, new or of this key.',
        body: 'CreatedJob',
        headers: { Location: 'The path of the job.', ...ENTITY_TAG },
      },
    ],
    problems: ['bad-request', 'forbidden', 'conflict', 'too-large', 'unsupported-media-type'],
  },
  {
    id: 'listJobs',
    method: 'GET',
    path: '/jobs',
    summary: 'Lists the caller’s jobs',
    description: 'Newest first; eventually consistent.',
    jobToken: false,
    parameters: [
      {
        in: 'query',
        name: 'cursor',
        description: 'Where the next page begins: `cursor` of the page before.',
        schema: { type: 'string', minLength: 1, maxLength: 2048 },
      },
      {
        in: 'query',
        name: 'limit',
        description: 'How many jobs a page has at most.',
        schema: { type: 'integer', minimum: 1, maximum: MAXIMUM_PAGE, default: DEFAULT_PAGE },
      },
    ],
    answers: [{ status: 200, description: 'A page.', body: 'JobPage' }],
    problems: ['bad-request', 'forbidden'],
  },
  {
    id: 'readJob',
    method: 'GET',
    path: '/jobs/{id}',
    summary: 'Reads a job, or waits until it has moved on',
    description: 'Strongly consistent.',
    jobToken: true,
    parameters: [
      {
        in: 'header',
        name: 'If-None-Match',
        description: 'The ETag of the state that the client has.',
        schema: { type: 'string' },
      },
      {
        in: 'header',
        name: 'Prefer',
        description: `\`wait=N\` beside \`If-None-Match\` holds the answer until the job moves past the ETag, or N seconds are over, ${MAXIMUM_WAIT_SECONDS} at most.`,
        schema: { type: 'string', examples: [`wait=${MAXIMUM_WAIT_SECONDS}`] },
      },
    ],
    answers: [
      {
        status: 200,
        description: 'The job.',
        body: 'Job',
        headers: {
          ...ENTITY_TAG,
          'Retry-After': 'While the job is not terminal: when to ask again, in seconds.',
          'Preference-Applied': 'The wait that was granted.',
        },
      },
      { status: 304, description: 'The client has this state.', headers: ENTITY_TAG },
    ],
    problems: ['forbidden', 'not-found'],
  },
  {
    id: 'createJobTicket',
    method: 'POST',
    path: '/jobs/{id}/tickets',
    summary: 'Takes a ticket for one more connect that watches this job',
    description: 'The ticket is good for 60 seconds.',
    jobToken: true,
    answers: [{ status: 201, description: 'The ticket.', body: 'Ticket' }],
    problems: ['forbidden', 'not-found'],
  },
  {
    id: 'createTicket',
    method: 'POST',
    path: '/tickets',
    summary: 'Takes a ticket for one connect of the caller',
    description: 'It allows `owner:me`, the caller’s tags and every job of the caller.',
    jobToken: false,
    answers: [{ status: 201, description: 'The ticket.', body: 'Ticket' }],
    problems: ['forbidden'],
  },
  {
    id: 'cancelJob',
    method: 'POST',
    path: '/jobs/{id}/cancel',
    summary: 'Cancels a job',
    description: 'What works on the job stops with its next report.',
    jobToken: true,
    answers: [
      { status: 202, description: 'The job is cancelled, now or before.', body: 'Job', headers: ENTITY_TAG },
    ],
    problems: ['forbidden', 'not-found', 'conflict'],
  },
  {
    id: 'readUpload',
    method: 'GET',
    path: '/jobs/{id}/upload',
    summary: 'Tells what of the payload is there, and grants the rest',
    description:
      'To go on after a reload, when a URL has expired, and for parts whose URLs did not fit into one answer.',
    jobToken: true,
    parameters: [
      {
        in: 'query',
        name: 'from',
        description: 'The first part that is asked for.',
        schema: { type: 'integer', minimum: 1, maximum: MAXIMUM_PARTS, default: 1 },
      },
    ],
    answers: [{ status: 200, description: 'What is there, and how to send the rest.', body: 'UploadState' }],
    problems: ['bad-request', 'forbidden', 'not-found', 'conflict'],
  },
  {
    id: 'reportUpload',
    method: 'POST',
    path: '/jobs/{id}/upload/progress',
    summary: 'Reports how much of the payload has been sent',
    description:
      'At most one a second is kept. What comes late, again or out of order changes nothing; `conflict` tells the uploader to stop.',
    jobToken: true,
    body: 'UploadProgress',
    answers: [{ status: 202, description: 'The job.', body: 'Job', headers: ENTITY_TAG }],
    problems: ['bad-request', 'forbidden', 'not-found', 'conflict', 'too-large', 'unsupported-media-type'],
  },
  {
    id: 'completeUpload',
    method: 'POST',
    path: '/jobs/{id}/upload/complete',
    summary: 'Completes an upload in parts',
    description: 'For `multipart` alone; an upload that is complete already is complete.',
    jobToken: true,
    body: 'CompleteUpload',
    answers: [{ status: 202, description: 'The job.', body: 'Job', headers: ENTITY_TAG }],
    problems: ['bad-request', 'forbidden', 'not-found', 'conflict', 'too-large', 'unsupported-media-type'],
  },
  {
    id: 'readResult',
    method: 'GET',
    path: '/jobs/{id}/result',
    summary: 'Leads to the result',
    description: `A script in a browser says \`Accept: ${RESULT_LINK_TYPE}\`, because it cannot follow the redirect.`,
    jobToken: true,
    answers: [
      { status: 200, description: 'The link.', body: 'ResultLink', contentType: RESULT_LINK_TYPE },
      {
        status: 302,
        description: 'The way to the download.',
        headers: { Location: 'A short-lived URL that acts for its bearer.' },
      },
    ],
    problems: ['forbidden', 'not-found'],
  },
  {
    id: 'listWatchers',
    method: 'GET',
    path: '/jobs/{id}/watchers',
    summary: 'Tells who watches a job, and what each has confirmed',
    description:
      'Eventually consistent. A connection that ended without a word is listed until a post to it fails, for two hours and ten minutes at most.',
    jobToken: true,
    answers: [{ status: 200, description: 'The watchers.', body: 'JobWatchers' }],
    problems: ['forbidden', 'not-found'],
  },
];
