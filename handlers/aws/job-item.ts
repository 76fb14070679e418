import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { JobSchema, StatusSchema, TimeSchema } from '../../protocol/job.ts';
import { Crc32Schema } from '../../protocol/upload.ts';
import { MalformedDataError } from '../errors.ts';
import type { JobRecord, NewJob } from '../ports.ts';

/**
 * The item of the jobs table. Its attributes are those of the public job, flat, and what only handlers see.
 * An update expression can add 1 to `seq`, but not inside a value that it appends to a list; so what the job
 * says in one `history` is stored in two attributes: `history` (L of status and time) and `historySeq` (M of
 * status to `seq`, where a status is entered at most once).
 */
const Attributes = JobSchema.entries;
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Text = v.pipe(v.string(), v.minLength(1));

const JobItemSchema = v.object({
  job: Attributes.id,
  owner: Text,
  kind: Attributes.kind,
  epoch: Attributes.epoch,
  seq: Attributes.seq,
  status: Attributes.status,
  stalled: Attributes.stalled,
  tags: Attributes.tags,
  input: Attributes.input,
  progress: Attributes.progress,
  step: Attributes.step,
  message: Attributes.message,
  result: Attributes.result,
  error: Attributes.error,
  createdAt: Attributes.createdAt,
  updatedAt: Attributes.updatedAt,
  startedAt: Attributes.startedAt,
  finishedAt: Attributes.finishedAt,
  /** Seconds since the epoch: the table's TTL attribute. */
  expiresAt: Count,
  history: v.array(v.object({ status: StatusSchema, at: TimeSchema })),
  historySeq: v.record(v.string(), Count),
  upload: v.picklist(['put', 'post', 'multipart']),
  uploadUntil: TimeSchema,
  fingerprint: v.string(),
  uploadId: v.exactOptional(Text),
  crc32: v.exactOptional(Crc32Schema),
  uploadShare: v.exactOptional(v.number()),
  objectTag: v.exactOptional(Text),
  ranges: v.exactOptional(v.array(v.strictTuple([Count, Count]))),
  execution: v.exactOptional(v.object({ id: Text, aliveUntil: TimeSchema })),
});

/** A DynamoDB item, as the SDK has it. */
export type Item = Record<string, AttributeValue>;

/**
 * Turns values into attribute values. Numbers above 2^53 are allowed, because a double's 17 digits survive
 * in DynamoDB's 38.
 */
export function toAttributes(values: Readonly<Record<string, unknown>>): Item {
  return marshall(values, { removeUndefinedValues: true, allowImpreciseNumbers: true });
}

/**
 * Reads an item of the jobs table, from the table or its stream.
 * @throws MalformedDataError that names the attributes, never their values.
 */
export function readJobItem(item: unknown): JobRecord {
  const parsed = v.safeParse(JobItemSchema, toValues(item));
  if (!parsed.success) {
    const details = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'the item').join(', ');
    throw new MalformedDataError(`A job's item (${details})`);
  }
  const { job: id, owner, upload, uploadUntil, fingerprint, ...rest } = parsed.output;
  const { uploadId, crc32, uploadShare, objectTag, ranges, execution, ...stored } = rest;
  const { expiresAt, history, historySeq, ...fields } = stored;
  return {
    job: {
      id,
      ...fields,
      expiresAt: new Date(expiresAt * 1000).toISOString(),
      history: history.map(({ status, at }) => {
        const seq = historySeq[status];
        if (seq === undefined) throw new MalformedDataError(`A job's item (historySeq.${status})`);
        return { status, at, seq };
      }),
    },
    owner,
    upload,
    uploadUntil,
    fingerprint,
    ...(uploadId === undefined ? {} : { uploadId }),
    ...(crc32 === undefined ? {} : { crc32 }),
    ...(uploadShare === undefined ? {} : { uploadShare }),
    ...(objectTag === undefined ? {} : { objectTag }),
    ...(ranges === undefined ? {} : { ranges }),
    ...(execution === undefined ? {} : { execution }),
  };
}

/** The item of a job that is made now. `change` is the id of the write (job-update.ts). */
export function newJobItem(job: NewJob, change: string): Item {
  return toAttributes({
    job: job.id,
    owner: job.owner,
    kind: job.kind,
    epoch: job.epoch,
    seq: 1,
    status: 'awaiting-upload',
    stalled: false,
    tags: job.tags,
    input: job.input,
    createdAt: job.at,
    updatedAt: job.at,
    expiresAt: toSeconds(job.expiresAt),
    history: [{ status: 'awaiting-upload', at: job.at }],
    historySeq: { 'awaiting-upload': 1 },
    upload: job.upload,
    uploadId: job.uploadId,
    crc32: job.crc32,
    uploadUntil: job.uploadUntil,
    fingerprint: job.fingerprint,
    lastChange: change,
  });
}

/** Whole seconds since the epoch, which is what TTL reads (DDG:time-to-live-ttl-before-you-start). */
export function toSeconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}

function toValues(item: unknown): unknown {
  try {
    // The stream's attribute values arrive unparsed; whatever is not one of them makes unmarshall throw.
    return unmarshall(item as Item, { wrapNumbers: Number });
  } catch (cause) {
    throw new MalformedDataError("A job's item", { cause });
  }
}
