import * as v from 'valibot';
import {
  EpochSchema,
  FIELD_BYTES,
  InputSchema,
  JobErrorSchema,
  JobIdSchema,
  JobResultSchema,
  JobSchema,
  KindSchema,
  type LimitedField,
  ProgressSchema,
  StepSchema,
  TagsSchema,
  TimeSchema,
} from '../protocol/job.ts';
import { serializedBytes } from '../protocol/size.ts';
import { Crc32Schema } from '../protocol/upload.ts';
import { InvalidReportError, TooLargeError } from './errors.ts';
import type { JobFields, NewJob } from './ports.ts';

/**
 * What may be written into a job: checked before the write by every adapter of `Jobs`, so that a job which
 * is stored can always be sent.
 */

const ExecutionSchema = v.object({ id: v.pipe(v.string(), v.minLength(1)), aliveUntil: TimeSchema });

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** More than there ever are (csv-profile/profiling-limits.ts), and still far from an item's 400 KB. */
const MOST_RANGES = 1_000;

const JobFieldsSchema = v.object({
  progress: v.optional(ProgressSchema),
  step: v.optional(StepSchema),
  message: JobSchema.entries.message,
  result: v.optional(JobResultSchema),
  error: v.optional(JobErrorSchema),
  stalled: v.optional(v.boolean()),
  objectTag: v.optional(v.pipe(v.string(), v.minLength(1))),
  uploadShare: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  ranges: v.optional(v.pipe(v.array(v.strictTuple([Count, Count])), v.maxLength(MOST_RANGES))),
  execution: v.optional(ExecutionSchema),
});

const NewJobSchema = v.object({
  id: JobIdSchema,
  epoch: EpochSchema,
  kind: KindSchema,
  owner: v.pipe(v.string(), v.minLength(1)),
  tags: TagsSchema,
  input: InputSchema,
  upload: v.picklist(['put', 'post', 'multipart']),
  uploadId: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
  crc32: v.exactOptional(Crc32Schema),
  fingerprint: v.string(),
  at: TimeSchema,
  uploadUntil: TimeSchema,
  expiresAt: TimeSchema,
});

/**
 * The fields of a change as they may be stored: unknown and undefined ones dropped.
 * @throws TooLargeError that names the field; InvalidReportError.
 */
export function checkFields(fields: JobFields): JobFields {
  checkSizes({
    message: fields.message,
    'step.name': fields.step?.name,
    'progress.unit': fields.progress?.unit,
    'result.contentType': fields.result?.contentType,
    'error.code': fields.error?.code,
    'error.title': fields.error?.title,
    'error.detail': fields.error?.detail,
  });
  return check(JobFieldsSchema, fields) as JobFields; // the schema has the fields of the type, no undefined left
}

/**
 * A new job as it may be stored.
 * @throws TooLargeError that names the field; InvalidReportError.
 */
export function checkNewJob(job: NewJob): NewJob {
  checkSizes({
    kind: job.kind,
    fileName: job.input.fileName,
    contentType: job.input.contentType,
    tags: job.tags,
  });
  return check(NewJobSchema, job);
}

function checkSizes(values: Readonly<Partial<Record<LimitedField, unknown>>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const field = name as LimitedField; // the keys of the parameter's type
    const actual = serializedBytes(value);
    if (actual > FIELD_BYTES[field]) throw new TooLargeError(field, FIELD_BYTES[field], actual);
  }
}

function check<const Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const details = result.issues.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`);
    throw new InvalidReportError(details.join('; '));
  }
  // Once through JSON, as every peer will get it: drops undefined, makes -0 a 0. Numbers are finite by schema.
  const json: v.InferOutput<Schema> = JSON.parse(JSON.stringify(result.output));
  checkStorable('', json);
  return json;
}

/** The magnitudes that DynamoDB stores (DDG:HowItWorks.NamingRulesDataTypes, "Number"). */
const SMALLEST_NUMBER = 1e-130;
const LARGEST_NUMBER = 9.9e125;

/** What JSON can say and DynamoDB cannot keep: half a surrogate pair would come back as another character. */
function checkStorable(path: string, value: unknown): void {
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new InvalidReportError(`${path}: must not hold half of a surrogate pair`);
  }
  if (typeof value === 'number' && value !== 0) {
    const magnitude = Math.abs(value);
    if (magnitude < SMALLEST_NUMBER || magnitude > LARGEST_NUMBER) {
      throw new InvalidReportError(`${path}: must be 0 or between 1e-130 and 9.9e125`);
    }
  }
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      checkStorable(path === '' ? key : `${path}.${key}`, inner);
    }
  }
}
