import * as v from 'valibot';
import { serializedBytes } from './size.ts';
import { STATUSES } from './status.ts';

export { entityTagOf, type Head, isNewer } from './head.ts';

/** The largest serialized job, in bytes of UTF-8 JSON (the wire contract, "A job"). */
export const MAXIMUM_JOB_BYTES = 16_384;

/**
 * The largest size of each field that a processor or a caller fills, in bytes of UTF-8 JSON with quotes and
 * escapes. Together with the fixed fields they stay below `MAXIMUM_JOB_BYTES`, so that a write which respects
 * them can never make a job that is too large (a property test holds this).
 */
export const FIELD_BYTES = {
  kind: 66,
  fileName: 1_026,
  contentType: 258,
  tags: 1_024,
  message: 2_048,
  'step.name': 258,
  'progress.unit': 66,
  'result.contentType': 258,
  'error.code': 130,
  'error.title': 514,
  'error.detail': 4_096,
} as const;

/** A field with a size limit of its own. */
export type LimitedField = keyof typeof FIELD_BYTES;

/** The most tags that a job may have. */
export const MAXIMUM_TAGS = 10;

function limited<Value>(field: LimitedField) {
  const limit: number = FIELD_BYTES[field];
  return v.check(
    (value: Value) => serializedBytes(value) <= limit,
    `${field} must be at most ${limit} bytes of JSON`,
  );
}

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Text = (field: LimitedField) => v.pipe(v.string(), v.minLength(1), limited(field));

/** `job_` and 26 characters of Crockford's base 32. Opaque to clients. */
export const JobIdSchema = v.pipe(
  v.string(),
  v.regex(/^job_[0-9A-HJKMNP-TV-Z]{26}$/, 'must be a job id such as job_01JCXW3V6Q8Y2T5R9K4M7N0PZA'),
);

/** The id of one making of a job: `seq` counts anew only when it changes. A later epoch sorts behind. */
export const EpochSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be an epoch such as 01JCXW3V6Q8Y2T5R9K4M7N0PZA'),
);

/** RFC 3339 in UTC with milliseconds, such as `2026-11-23T10:15:30.123Z`. */
export const TimeSchema = v.pipe(
  v.string(),
  v.regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    'must be a UTC time with milliseconds such as 2026-11-23T10:15:30.123Z',
  ),
);

/** A label that the owner gives a job. No colon and no control characters: it becomes part of a topic. */
export const TagSchema = v.pipe(
  v.string(),
  v.regex(
    /^[^\p{Cc}\p{Cs}:"\\]{1,64}$/u,
    'must be a tag of 1 to 64 characters without colons, quotes, backslashes or control characters',
  ),
);

/** The tags of a job, each once. */
export const TagsSchema = v.pipe(
  v.array(TagSchema),
  v.maxLength(MAXIMUM_TAGS),
  limited('tags'),
  v.check((tags) => new Set(tags).size === tags.length, 'must not repeat a tag'),
);

/** What kind of work a job is: names the processor. */
export const KindSchema = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be a kind such as csv-profile'),
);

/** A file's name without a path; shown to people and offered for the download, never used as a path. */
export const FileNameSchema = v.pipe(
  v.string(),
  v.regex(/^[^\p{Cc}\p{Cs}/\\]+$/u, 'must be a file name without a path or control characters'),
  limited('fileName'),
);

/** A media type as in `Content-Type`: printable ASCII alone, because a header carries nothing else. */
export const ContentTypeSchema = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+( ?; ?[A-Za-z0-9!#$&^_.+-]+=("[\x20!\x23-\x7e]*"|[A-Za-z0-9!#$&^_.+-]+))*$/,
    'must be a media type such as text/csv',
  ),
  limited('contentType'),
);

/** One of the statuses. */
export const StatusSchema = v.picklist(STATUSES);

/** How far the work is. `fraction` never goes backwards; `done` and `total` count `unit`s. */
export const ProgressSchema = v.object({
  done: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  total: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  unit: v.optional(Text('progress.unit')),
  fraction: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
});

/** The named part of the work that runs now; `index` counts from 1. */
export const StepSchema = v.object({
  name: Text('step.name'),
  index: v.pipe(Count, v.minValue(1)),
  count: v.pipe(Count, v.minValue(1)),
});

/** Where the result of a job that succeeded is fetched from. `size` in bytes. */
export const JobResultSchema = v.object({
  href: v.pipe(v.string(), v.maxLength(128)),
  contentType: v.pipe(ContentTypeSchema, limited('result.contentType')),
  size: Count,
});

/** Why a job failed or expired. `code` is the processor's own; `retryable` says whether a new job may succeed. */
export const JobErrorSchema = v.object({
  code: Text('error.code'),
  title: Text('error.title'),
  detail: v.optional(Text('error.detail')),
  retryable: v.boolean(),
});

/** What was announced when the job was asked for. `size` in bytes. */
export const InputSchema = v.object({
  fileName: FileNameSchema,
  contentType: ContentTypeSchema,
  size: Count,
});

/** One transition of the past. */
export const HistoryEntrySchema = v.object({ status: StatusSchema, at: TimeSchema, seq: Count });

/** The whole small state of one job: what every frame carries and `GET /jobs/{id}` answers. */
export const JobSchema = v.object({
  id: JobIdSchema,
  kind: KindSchema,
  epoch: EpochSchema,
  seq: v.pipe(Count, v.minValue(1)),
  status: StatusSchema,
  stalled: v.boolean(),
  input: v.optional(InputSchema),
  progress: v.optional(ProgressSchema),
  step: v.optional(StepSchema),
  message: v.optional(Text('message')),
  result: v.optional(JobResultSchema),
  error: v.optional(JobErrorSchema),
  tags: TagsSchema,
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
  startedAt: v.optional(TimeSchema),
  finishedAt: v.optional(TimeSchema),
  expiresAt: TimeSchema,
  /** At most one entry a status, since no status is entered twice. */
  history: v.pipe(v.array(HistoryEntrySchema), v.maxLength(STATUSES.length)),
});

/** See `ProgressSchema`. */
export type Progress = v.InferOutput<typeof ProgressSchema>;
/** See `StepSchema`. */
export type Step = v.InferOutput<typeof StepSchema>;
/** See `JobResultSchema`. */
export type JobResult = v.InferOutput<typeof JobResultSchema>;
/** See `JobErrorSchema`. */
export type JobError = v.InferOutput<typeof JobErrorSchema>;
/** See `InputSchema`. */
export type Input = v.InferOutput<typeof InputSchema>;
/** See `HistoryEntrySchema`. */
export type HistoryEntry = v.InferOutput<typeof HistoryEntrySchema>;
/** See `JobSchema`. */
export type Job = v.InferOutput<typeof JobSchema>;
