import * as v from 'valibot';
import { BYES, type ByeCode } from './bye.ts';
import { FRAME_ERRORS, type FrameErrorCode } from './error-codes.ts';
import { FrameError } from './frame-error.ts';
import { MAXIMUM_FRAME_BYTES, MAXIMUM_HEADS } from './frame-limits.ts';
import { InvalidError, parse, parseJson } from './invalid.ts';
import { EpochSchema, type Job, JobIdSchema, JobSchema } from './job.ts';
import { bytesOf } from './size.ts';
import { TopicSchema } from './topic.ts';

export { FrameError, MAXIMUM_FRAME_BYTES, MAXIMUM_HEADS };

/** The subprotocol that both peers speak; a browser offers it beside `ticket.<ticket>`. */
export const SUBPROTOCOL = 'jobwire.v1';

/** What stands before a ticket where a browser offers it as a subprotocol. */
export const TICKET_SUBPROTOCOL_PREFIX = 'ticket.';

const Seq = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const RequestIdSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const HeadSchema = v.object({ epoch: EpochSchema, seq: Seq });

const SubscribeJobSchema = v.object({
  type: v.literal('subscribe'),
  id: RequestIdSchema,
  job: JobIdSchema,
  since: v.optional(HeadSchema),
});
const SubscribeTopicSchema = v.object({
  type: v.literal('subscribe'),
  id: RequestIdSchema,
  topic: TopicSchema,
});
const UnsubscribeJobSchema = v.object({
  type: v.literal('unsubscribe'),
  id: RequestIdSchema,
  job: JobIdSchema,
});
const UnsubscribeTopicSchema = v.object({
  type: v.literal('unsubscribe'),
  id: RequestIdSchema,
  topic: TopicSchema,
});
const PingSchema = v.object({
  type: v.literal('ping'),
  id: v.optional(RequestIdSchema),
  heads: v.optional(
    v.pipe(
      v.record(JobIdSchema, Seq),
      v.check(
        (heads) => Object.keys(heads).length <= MAXIMUM_HEADS,
        `must be at most ${MAXIMUM_HEADS} heads`,
      ),
    ),
  ),
});

const FrameErrorSchema = v.object({
  code: v.picklist(Object.keys(FRAME_ERRORS) as FrameErrorCode[]), // the keys of a const table are its codes
  title: v.string(),
  detail: v.optional(v.string()),
  retryable: v.boolean(),
  retryAfterMs: v.optional(Seq),
});

const SubscribedSchema = v.union([
  v.object({ type: v.literal('subscribed'), id: RequestIdSchema, job: JobSchema }),
  v.object({
    type: v.literal('subscribed'),
    id: RequestIdSchema,
    head: v.object({ job: JobIdSchema, epoch: EpochSchema, seq: Seq }),
  }),
  v.object({ type: v.literal('subscribed'), id: RequestIdSchema, topic: TopicSchema }),
]);
const JobFrameSchema = v.object({ type: v.literal('job'), job: JobSchema });
const PongSchema = v.object({ type: v.literal('pong'), id: v.optional(RequestIdSchema) });
const UnsubscribedSchema = v.object({ type: v.literal('unsubscribed'), id: RequestIdSchema });
const ErrorFrameSchema = v.object({
  type: v.literal('error'),
  id: v.optional(RequestIdSchema),
  error: FrameErrorSchema,
});
const ByeSchema = v.object({
  type: v.literal('bye'),
  /** Any code: a client of today must understand, by `reconnect`, a code of tomorrow. */
  code: v.pipe(v.number(), v.safeInteger()),
  reason: v.string(),
  reconnect: v.boolean(),
  retryAfterMs: v.optional(Seq),
});

/** What a client may send, by `type`. */
export type SubscribeFrame =
  | v.InferOutput<typeof SubscribeJobSchema>
  | v.InferOutput<typeof SubscribeTopicSchema>;
/** Ends what `subscribe` began. */
export type UnsubscribeFrame =
  | v.InferOutput<typeof UnsubscribeJobSchema>
  | v.InferOutput<typeof UnsubscribeTopicSchema>;
/** Keeps the connection alive and asks for whatever is newer than `heads`. */
export type PingFrame = v.InferOutput<typeof PingSchema>;
/** Every frame of a client. */
export type ClientFrame = SubscribeFrame | UnsubscribeFrame | PingFrame;

/** Answers `subscribe`. */
export type SubscribedFrame = v.InferOutput<typeof SubscribedSchema>;
/** The whole state of a job after a change. */
export type JobFrame = v.InferOutput<typeof JobFrameSchema>;
/** Answers a request that failed; the connection stands. */
export type ErrorFrame = v.InferOutput<typeof ErrorFrameSchema>;
/** The server closes next. */
export type ByeFrame = v.InferOutput<typeof ByeSchema>;
/** Every frame of a server. */
export type ServerFrame =
  | SubscribedFrame
  | JobFrame
  | v.InferOutput<typeof PongSchema>
  | v.InferOutput<typeof UnsubscribedSchema>
  | ErrorFrame
  | ByeFrame;

/** The schemas of a client's frames: one that names a job, and one that names a topic; never both in a frame. */
export const CLIENT_SCHEMAS = {
  subscribeToJob: SubscribeJobSchema,
  subscribeToTopic: SubscribeTopicSchema,
  unsubscribeFromJob: UnsubscribeJobSchema,
  unsubscribeFromTopic: UnsubscribeTopicSchema,
  ping: PingSchema,
} as const;

/** The schemas of a server's frames, by `type`. */
export const SERVER_SCHEMAS: Readonly<Record<ServerFrame['type'], v.GenericSchema<unknown, ServerFrame>>> = {
  subscribed: SubscribedSchema,
  job: JobFrameSchema,
  pong: PongSchema,
  unsubscribed: UnsubscribedSchema,
  error: ErrorFrameSchema,
  bye: ByeSchema,
};

function schemaOfClientFrame(frame: Readonly<Record<string, unknown>>, id: string | undefined) {
  switch (frame['type']) {
    case 'subscribe':
      return exactlyOneTarget(frame, id) === 'job' ? SubscribeJobSchema : SubscribeTopicSchema;
    case 'unsubscribe':
      return exactlyOneTarget(frame, id) === 'job' ? UnsubscribeJobSchema : UnsubscribeTopicSchema;
    case 'ping':
      return PingSchema;
    default:
      throw new FrameError('unknown-type', 'type must be "subscribe", "unsubscribe" or "ping"', id);
  }
}

function exactlyOneTarget(frame: Readonly<Record<string, unknown>>, id: string | undefined): 'job' | 'topic' {
  const hasJob = frame['job'] !== undefined;
  const hasTopic = frame['topic'] !== undefined;
  if (hasJob === hasTopic) throw new FrameError('bad-frame', 'name either a job or a topic', id);
  return hasJob ? 'job' : 'topic';
}

function readFrame(text: string): { frame: Readonly<Record<string, unknown>>; id: string | undefined } {
  if (bytesOf(text) > MAXIMUM_FRAME_BYTES) {
    throw new FrameError('too-large', `a frame is at most ${MAXIMUM_FRAME_BYTES} bytes`);
  }
  const value = translate(undefined, () => parseJson('the frame', text));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError('bad-frame', 'the frame is not a JSON object');
  }
  const frame = value as Readonly<Record<string, unknown>>; // a JSON object that is neither null nor an array
  const id = v.safeParse(RequestIdSchema, frame['id']);
  return { frame, id: id.success ? id.output : undefined };
}

function translate<Result>(id: string | undefined, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidError) throw new FrameError('bad-frame', error.message, id, { cause: error });
    throw error;
  }
}

/**
 * Reads a frame that a client sent. Fields that the contract does not know are dropped.
 * @throws FrameError `bad-frame`, `unknown-type` or `too-large`.
 */
export function parseClientFrame(text: string): ClientFrame {
  const { frame, id } = readFrame(text);
  const schema = schemaOfClientFrame(frame, id);
  return translate(id, () => parse<ClientFrame>('the frame', schema, frame));
}

/**
 * Reads a frame that a server sent.
 * @throws FrameError; a client ignores `unknown-type`, because a server may say more than it knows.
 */
export function parseServerFrame(text: string): ServerFrame {
  const { frame, id } = readFrame(text);
  const type = frame['type'];
  if (typeof type !== 'string' || !Object.hasOwn(SERVER_SCHEMAS, type)) {
    throw new FrameError('unknown-type', 'the type of the frame is unknown', id);
  }
  const schema = SERVER_SCHEMAS[type as ServerFrame['type']]; // hasOwn has shown that it is one of the keys
  return translate(id, () => parse('the frame', schema, frame));
}

/**
 * Writes a frame of either peer as the text that goes over the wire.
 * @throws FrameError `too-large` above 32 KB.
 */
export function serializeFrame(frame: ClientFrame | ServerFrame): string {
  const text = JSON.stringify(frame);
  if (bytesOf(text) > MAXIMUM_FRAME_BYTES) {
    throw new FrameError('too-large', `a frame is at most ${MAXIMUM_FRAME_BYTES} bytes`);
  }
  return text;
}

/** The frame that carries a job's state to a watcher. */
export function jobFrame(job: Job): JobFrame {
  return { type: 'job', job };
}

/** The frame that answers a failed request, with the table's title and `retryable`. */
export function errorFrame(
  code: FrameErrorCode,
  options: { id?: string | undefined; detail?: string; retryAfterMs?: number } = {},
): ErrorFrame {
  const { title, retryable } = FRAME_ERRORS[code];
  return {
    type: 'error',
    ...(options.id === undefined ? {} : { id: options.id }),
    error: {
      code,
      title,
      ...(options.detail === undefined ? {} : { detail: options.detail }),
      retryable,
      ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
    },
  };
}

/** The last frame before the server closes. */
export function byeFrame(code: ByeCode, options: { retryAfterMs?: number } = {}): ByeFrame {
  return { type: 'bye', code, ...BYES[code], ...options };
}
