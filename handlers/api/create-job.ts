import type { CreatedJob, CreateJob, Upload } from '../../protocol/http.ts';
import { entityTagOf } from '../../protocol/job.ts';
import { JobExistsError } from '../errors.ts';
import type { JobRecord, NewJob } from '../ports.ts';
import { subjectOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { isPast } from './job-access.ts';
import { derivedJobId, fingerprintOf, newEpoch, newJobId } from './job-id.ts';
import { readJobRequest } from './job-request.ts';
import { ProblemError } from './problems.ts';
import { jsonResponse } from './responses.ts';
import { issueWatch } from './tickets.ts';

/**
 * How long an upload may take to arrive, in seconds. Not longer than an hour, although a presigned URL may live
 * for a week: it also ends with the credentials that signed it (aws-facts 4), those of this function's role, and
 * how many hours are left of them in a warm environment nobody can tell. A longer promise S3 might not keep.
 */
export const UPLOAD_SECONDS = 3_600;

/** How long a job is kept, in seconds: 7 days. Its token lives as long. */
export const JOB_SECONDS = 7 * 24 * 3_600;

/**
 * `POST /jobs`: makes a job and grants its upload. With an idempotency key the same request gives the same job
 * with fresh credentials, however often it is sent.
 * @throws ProblemError as `readJobRequest`, and `conflict` for a key that has come with another body.
 */
export async function createJob(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const owner = await subjectOf(context, dependencies);
  const { request, idempotencyKey } = await readJobRequest(context);
  const record =
    idempotencyKey === undefined
      ? await makeJob(newJobId(dependencies.now()), owner, request, dependencies)
      : await findOrMakeJob(derivedJobId(owner, idempotencyKey), owner, request, dependencies);
  const upload = await grantUpload(record, dependencies);
  const { job } = record;
  const token = await dependencies.tokens.issueJobToken({ id: job.id, owner }, job.expiresAt);
  const { watch } = await issueWatch({ kind: 'job', subject: owner, job: job.id }, dependencies);
  const created: CreatedJob = { job, ...(upload === undefined ? {} : { upload }), token, watch };
  return jsonResponse(201, created, { location: `/jobs/${job.id}`, etag: entityTagOf(job) });
}

/** The job of an idempotency key: the one that is there, or a new one. */
async function findOrMakeJob(
  id: string,
  owner: string,
  request: CreateJob,
  dependencies: ApiDependencies,
): Promise<JobRecord> {
  const known = await dependencies.jobs.read(id);
  const record = known ?? (await makeUnlessThere(id, owner, request, dependencies));
  if (record.fingerprint !== fingerprintOf(request)) {
    throw new ProblemError('conflict', {
      detail: 'This Idempotency-Key has come with another body; use a new key for a new job',
      job: record.job,
    });
  }
  if (isPast(record, dependencies.now())) {
    throw new ProblemError('conflict', {
      detail: 'The job of this Idempotency-Key is over and is being deleted; use a new key',
    });
  }
  return record;
}

async function makeUnlessThere(
  id: string,
  owner: string,
  request: CreateJob,
  dependencies: ApiDependencies,
): Promise<JobRecord> {
  try {
    return await makeJob(id, owner, request, dependencies);
  } catch (error) {
    // The same request at the same moment: its put came first, and both callers get that job.
    if (error instanceof JobExistsError) return error.current;
    throw error;
  }
}

/**
 * Makes a job. The deadline is sent before the job is put: a function that dies between the two leaves a message
 * about a job that does not exist, which the sweep drops. The other way round it would leave a job that waits
 * for its upload for ever.
 */
async function makeJob(
  id: string,
  owner: string,
  request: CreateJob,
  { jobs, deadlines, now }: ApiDependencies,
): Promise<JobRecord> {
  const at = now();
  const { kind, fileName, contentType, size, upload, tags } = request;
  const job: NewJob = {
    id,
    epoch: newEpoch(at),
    kind,
    owner,
    tags,
    input: { fileName, contentType, size },
    upload,
    fingerprint: fingerprintOf(request),
    at: at.toISOString(),
    uploadUntil: after(at, UPLOAD_SECONDS),
    expiresAt: after(at, JOB_SECONDS),
  };
  await deadlines.send([{ job: id, epoch: job.epoch, status: 'awaiting-upload' }], {
    delaySeconds: UPLOAD_SECONDS, // the queue cuts it to its 900 s, and the sweep sends it on until it is due
  });
  return await jobs.create(job);
}

/** What the upload needs; nothing once the upload is over or its time is up. */
async function grantUpload(
  record: JobRecord,
  { uploads, now }: ApiDependencies,
): Promise<Upload | undefined> {
  if (record.job.status !== 'awaiting-upload' || record.uploadUntil <= now().toISOString()) return undefined;
  return await uploads.grant(record, record.uploadUntil);
}

function after(at: Date, seconds: number): string {
  return new Date(at.getTime() + seconds * 1_000).toISOString();
}
