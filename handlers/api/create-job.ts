import type { CreatedJob, Upload } from '../../protocol/http.ts';
import { entityTagOf } from '../../protocol/job.ts';
import { JobExistsError } from '../errors.ts';
import type { JobRecord, NewJob } from '../ports.ts';
import { subjectOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { isPast } from './job-access.ts';
import { derivedJobId, fingerprintOf, newEpoch, newJobId } from './job-id.ts';
import { type DecidedJob, readJobRequest } from './job-request.ts';
import { ProblemError } from './problems.ts';
import { jsonResponse } from './responses.ts';
import { issueWatch } from './tickets.ts';
import { grantEnd, uploadSeconds } from './upload-time.ts';

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
  request: DecidedJob,
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
  request: DecidedJob,
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
 * for its upload for ever. An upload in parts that nobody keeps the id of has no parts, and the bucket clears it up.
 */
async function makeJob(
  id: string,
  owner: string,
  request: DecidedJob,
  { jobs, uploads, deadlines, now }: ApiDependencies,
): Promise<JobRecord> {
  const at = now();
  const { kind, fileName, contentType, size, upload, tags, crc32 } = request;
  const epoch = newEpoch(at);
  const input = { fileName, contentType, size };
  const seconds = uploadSeconds(upload, size);
  await deadlines.send([{ job: id, epoch }], {
    delaySeconds: seconds, // the queue cuts it to its 900 s, and the sweep sends it on until it is due
  });
  const uploadId = upload === 'multipart' ? await uploads.begin({ id, epoch, input }) : undefined;
  const job: NewJob = {
    id,
    epoch,
    kind,
    owner,
    tags,
    input,
    upload,
    ...(uploadId === undefined ? {} : { uploadId }),
    ...(crc32 === undefined ? {} : { crc32 }),
    fingerprint: fingerprintOf(request),
    at: at.toISOString(),
    uploadUntil: after(at, seconds),
    expiresAt: after(at, JOB_SECONDS),
  };
  return await jobs.create(job);
}

/** What the upload needs; nothing once the upload is over or its time is up. */
async function grantUpload(
  record: JobRecord,
  { uploads, now }: ApiDependencies,
): Promise<Upload | undefined> {
  const until = grantEnd(record, now());
  if (record.job.status !== 'awaiting-upload' || until === undefined) return undefined;
  return await uploads.grant(record, until);
}

function after(at: Date, seconds: number): string {
  return new Date(at.getTime() + seconds * 1_000).toISOString();
}
