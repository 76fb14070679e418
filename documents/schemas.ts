import { CLIENT_SCHEMAS, SERVER_SCHEMAS } from '../protocol/frames.ts';
import {
  BroadcastSchema,
  CreatedJobSchema,
  CreateJobSchema,
  JobPageSchema,
  ProblemSchema,
  TicketSchema,
  UploadSchema,
  UploadStateSchema,
  WatchSchema,
} from '../protocol/http.ts';
import {
  EpochSchema,
  HistoryEntrySchema,
  InputSchema,
  JobErrorSchema,
  JobIdSchema,
  JobResultSchema,
  JobSchema,
  ProgressSchema,
  StatusSchema,
  StepSchema,
  TagSchema,
  TimeSchema,
} from '../protocol/job.ts';
import { ResultLinkSchema } from '../protocol/result-link.ts';
import { TopicSchema } from '../protocol/topic.ts';
import { CompleteUploadSchema, UploadProgressSchema } from '../protocol/upload.ts';
import { JobWatcherSchema, JobWatchersSchema } from '../protocol/watchers.ts';
import type { Described } from './json-schema.ts';

/** What a job is made of; in both documents. */
export const JOB_SCHEMAS = {
  JobId: { schema: JobIdSchema, description: 'The id of a job. Opaque to clients.' },
  Epoch: {
    schema: EpochSchema,
    description: 'One making of a job: `seq` counts anew only when it changes. A later epoch sorts behind.',
  },
  Time: { schema: TimeSchema, description: 'RFC 3339, UTC, milliseconds.' },
  Tag: { schema: TagSchema, description: 'A label that the owner gives a job.' },
  Topic: {
    schema: TopicSchema,
    description: 'All jobs of the caller, or those with a tag; jobs that are yet to be made included.',
  },
  Status: {
    schema: StatusSchema,
    description:
      'awaiting-upload → queued | cancelled | expired; queued → running | cancelled | failed; running → succeeded | failed | cancelled. succeeded, failed, cancelled and expired are terminal.',
  },
  Progress: { schema: ProgressSchema, description: '`fraction` never goes backwards.' },
  Step: { schema: StepSchema, description: 'The named part of the work that runs now, counted from 1.' },
  JobResult: {
    schema: JobResultSchema,
    description: 'Where the result of a job that succeeded is fetched from; `size` in bytes.',
  },
  JobError: {
    schema: JobErrorSchema,
    description: 'Why a job failed or expired; `retryable` says whether a new job may succeed.',
  },
  Input: {
    schema: InputSchema,
    description: 'What was announced when the job was asked for; `size` in bytes.',
  },
  HistoryEntry: { schema: HistoryEntrySchema, description: 'One transition of the past.' },
  Job: {
    schema: JobSchema,
    description:
      'The whole small state of one job, at most 16 KB. `seq` grows with every committed change and never repeats within an `epoch`; gaps are legal. Optional fields are absent, not null.',
  },
} as const satisfies Readonly<Record<string, Described>>;

/** Bodies of requests and answers. */
export const HTTP_SCHEMAS = {
  ...JOB_SCHEMAS,
  CreateJob: {
    schema: CreateJobSchema,
    description: 'What a job is asked for with; `size` is what the upload must have exactly, in bytes.',
  },
  Upload: {
    schema: UploadSchema,
    description:
      'How the payload is sent to S3: one request by PUT, one form by POST (the file is the last field, named `file`), or parts.',
  },
  Broadcast: {
    schema: BroadcastSchema,
    description:
      'Where the states of one job are broadcast by MQTT 3.1.1 over a WebSocket (subprotocol `mqtt`): the user name is `username`, the password the ticket; the retained message of `topic` is the newest state.',
  },
  Watch: {
    schema: WatchSchema,
    description: 'What it takes to connect once; `protocols` is what a browser offers as subprotocols.',
  },
  Ticket: { schema: TicketSchema, description: 'What it takes to connect once, and until when.' },
  CreatedJob: {
    schema: CreatedJobSchema,
    description:
      'The job, how to upload its payload (absent where an idempotency key came again after the upload was over), the token that acts for this one job, and what it takes to watch it.',
  },
  JobPage: { schema: JobPageSchema, description: 'A page of jobs; without `cursor` it is the last.' },
  UploadState: {
    schema: UploadStateSchema,
    description:
      'The parts that S3 has, from the one on that was asked for, and a fresh grant of what it has not; no grant where all is there.',
  },
  UploadProgress: {
    schema: UploadProgressSchema,
    description: 'The bytes of the payload that have been sent so far.',
  },
  CompleteUpload: {
    schema: CompleteUploadSchema,
    description: 'Every part of the upload, once and in order, with the entity tag that S3 answered it with.',
  },
  ResultLink: {
    schema: ResultLinkSchema,
    description: 'Where the result can be downloaded without further credentials, until when.',
  },
  JobWatcher: {
    schema: JobWatcherSchema,
    description:
      'A connection that is told of the job: an opaque name for it, by which topic it watches, since when, and the newest `seq` that it has confirmed by the heads of a ping.',
  },
  JobWatchers: {
    schema: JobWatchersSchema,
    description: 'At most a hundred watchers, those of narrower topics first, and how many there are.',
  },
  Problem: { schema: ProblemSchema, description: 'RFC 9457 problem details.' },
} as const satisfies Readonly<Record<string, Described>>;

/** Frames of both peers. */
export const FRAME_SCHEMAS = {
  ...JOB_SCHEMAS,
  SubscribeToJob: { schema: CLIENT_SCHEMAS.subscribeToJob, description: 'Watches one job.' },
  SubscribeToTopic: { schema: CLIENT_SCHEMAS.subscribeToTopic, description: 'Watches a topic.' },
  UnsubscribeFromJob: {
    schema: CLIENT_SCHEMAS.unsubscribeFromJob,
    description: 'No longer watches one job.',
  },
  UnsubscribeFromTopic: {
    schema: CLIENT_SCHEMAS.unsubscribeFromTopic,
    description: 'No longer watches a topic.',
  },
  Ping: { schema: CLIENT_SCHEMAS.ping, description: 'Keeps the connection alive, and says what is known.' },
  Subscribed: { schema: SERVER_SCHEMAS.subscribed, description: 'Answers `subscribe`.' },
  JobState: { schema: SERVER_SCHEMAS.job, description: 'The whole state of a job after a change.' },
  Pong: { schema: SERVER_SCHEMAS.pong, description: 'Answers `ping`.' },
  Unsubscribed: { schema: SERVER_SCHEMAS.unsubscribed, description: 'Answers `unsubscribe`.' },
  ErrorFrame: {
    schema: SERVER_SCHEMAS.error,
    description: 'Answers a frame that failed; the connection stands.',
  },
  Bye: { schema: SERVER_SCHEMAS.bye, description: 'The server closes next.' },
} as const satisfies Readonly<Record<string, Described>>;
