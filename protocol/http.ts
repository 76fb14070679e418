import * as v from 'valibot';
import { PROBLEMS, type ProblemCode } from './error-codes.ts';
import {
  ContentTypeSchema,
  FileNameSchema,
  type Job,
  JobSchema,
  KindSchema,
  TagsSchema,
  TimeSchema,
} from './job.ts';
import { Crc32Schema, MultipartUploadSchema, UploadedPartSchema } from './upload.ts';

/** The longest time that `Prefer: wait` is honoured for, in seconds: below the API's 30 (aws-facts 6). */
export const MAXIMUM_WAIT_SECONDS = 20;

/** The most jobs of one page of `GET /jobs`, and how many there are unless the caller says. */
export const MAXIMUM_PAGE = 100;
/** See `MAXIMUM_PAGE`. */
export const DEFAULT_PAGE = 25;

/** The body of `POST /jobs`. `size` in bytes, what the upload must have exactly. */
export const CreateJobSchema = v.object({
  kind: KindSchema,
  fileName: FileNameSchema,
  contentType: ContentTypeSchema,
  size: v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(1, 'must be at least 1: an empty file has nothing to process'),
  ),
  /** Without it: by PUT, and in parts above `MULTIPART_ABOVE_BYTES`. */
  upload: v.optional(v.picklist(['put', 'post', 'multipart'])),
  tags: v.optional(TagsSchema, []),
  /** Makes S3 refuse a payload that was damaged on its way; for an upload by PUT or POST alone. */
  crc32: v.optional(Crc32Schema),
});

/** `Idempotency-Key`: any text of 1 to 255 printable characters. */
export const IdempotencyKeySchema = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/),
);

const Fields = v.record(v.string(), v.string());

/** How the payload is sent to S3: one request by PUT, one form by POST, or parts. */
export const UploadSchema = v.variant('method', [
  v.object({ method: v.literal('PUT'), url: v.string(), headers: Fields }),
  v.object({ method: v.literal('POST'), url: v.string(), fields: Fields }),
  MultipartUploadSchema,
]);

/**
 * The answer of `GET /jobs/{id}/upload`. `uploaded` are the parts that S3 has, from the one on that was asked for;
 * `upload` is a fresh grant of what it has not, absent when all is `complete`: nothing is left to be sent.
 */
export const UploadStateSchema = v.object({
  job: JobSchema,
  complete: v.boolean(),
  uploaded: v.array(UploadedPartSchema),
  upload: v.optional(UploadSchema),
});

/**
 * Where the states of one job are broadcast by MQTT 3.1.1 over a WebSocket (subprotocol `mqtt`). The user name is this
 * one, the password is the ticket that stands beside it, and the client id begins with `clientIdPrefix` and goes on with
 * what no other connection has; `topic` is subscribed to with QoS 1, and its retained message is the newest state.
 */
export const BroadcastSchema = v.object({
  url: v.string(),
  username: v.string(),
  clientIdPrefix: v.string(),
  topic: v.string(),
});

/** What it takes to connect once: the URL, a ticket of 60 seconds, and the subprotocols that a browser offers. */
export const WatchSchema = v.object({
  url: v.string(),
  ticket: v.string(),
  protocols: v.array(v.string()),
  /** Where the stack broadcasts, and the ticket is for one job. */
  broadcast: v.optional(BroadcastSchema),
});

/** The answer of `POST …/tickets`. */
export const TicketSchema = v.object({ ...WatchSchema.entries, expiresAt: TimeSchema });

/**
 * The answer of `POST /jobs`. `token` reads, watches and cancels this one job. `upload` is absent only where
 * an idempotency key came again after the upload was over: there is nothing left to send.
 */
export const CreatedJobSchema = v.object({
  job: JobSchema,
  upload: v.optional(UploadSchema),
  token: v.string(),
  watch: WatchSchema,
});

/** The answer of `GET /jobs`. */
export const JobPageSchema = v.object({ jobs: v.array(JobSchema), cursor: v.optional(v.string()) });

/** RFC 9457 problem details, with `code` and `retryable` of the closed table. */
export const ProblemSchema = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.optional(v.string()),
  code: v.picklist(Object.keys(PROBLEMS) as ProblemCode[]), // the keys of a const table are its codes
  retryable: v.boolean(),
  /** What is wrong with single fields of the request. */
  issues: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
  /** The job's state where that is what the request conflicts with. */
  job: v.optional(JobSchema),
});

/** See `CreateJobSchema`; what a caller may leave out is filled in. */
export type CreateJob = v.InferOutput<typeof CreateJobSchema>;
/** See `CreateJobSchema`, as a caller writes it. */
export type CreateJobInput = v.InferInput<typeof CreateJobSchema>;
/** See `UploadStateSchema`. */
export type UploadState = v.InferOutput<typeof UploadStateSchema>;
/** See `UploadSchema`. */
export type Upload = v.InferOutput<typeof UploadSchema>;
/** See `BroadcastSchema`. */
export type Broadcast = v.InferOutput<typeof BroadcastSchema>;
/** See `WatchSchema`. */
export type Watch = v.InferOutput<typeof WatchSchema>;
/** See `TicketSchema`. */
export type Ticket = v.InferOutput<typeof TicketSchema>;
/** See `CreatedJobSchema`. */
export type CreatedJob = v.InferOutput<typeof CreatedJobSchema>;
/** See `JobPageSchema`. */
export type JobPage = v.InferOutput<typeof JobPageSchema>;
/** See `ProblemSchema`. */
export type Problem = v.InferOutput<typeof ProblemSchema>;

/** The problem of a code, with the table's title, status and `retryable`. */
export function problem(
  code: ProblemCode,
  extra: { detail?: string; issues?: readonly { path: string; message: string }[]; job?: Job } = {},
): Problem {
  const { title, retryable, status } = PROBLEMS[code];
  return {
    type: `urn:jobwire:problem:${code}`,
    title,
    status,
    code,
    retryable,
    ...(extra.detail === undefined ? {} : { detail: extra.detail }),
    ...(extra.issues === undefined ? {} : { issues: [...extra.issues] }),
    ...(extra.job === undefined ? {} : { job: extra.job }),
  };
}
