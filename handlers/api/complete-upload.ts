import { InvalidError } from '../../protocol/invalid.ts';
import { entityTagOf } from '../../protocol/job.ts';
import {
  type CompletedPart,
  CompleteUploadSchema,
  MAXIMUM_PARTS,
  partCountOf,
} from '../../protocol/upload.ts';
import { PartsRefusedError, UploadNotFoundError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { badRequest, ProblemError } from './problems.ts';
import { readBody } from './request-body.ts';
import { jsonResponse } from './responses.ts';
import { isUploaded, noUpload } from './upload-access.ts';

/** The largest body that is read, in bytes: 10,000 parts with names of 36 characters take 0.7 MB. */
const MAXIMUM_BODY_BYTES = MAXIMUM_PARTS * 128;

/**
 * `POST /jobs/{id}/upload/complete`: 202 and the job, also where the upload was completed before. S3 makes the
 * object of the parts, and its event takes the job on, as with any other upload.
 * @throws ProblemError `bad-request` for parts that are not all parts of the upload, or not those that S3 has;
 *   `conflict` with the job where it has ended without an upload.
 */
export async function completeUpload(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const record = await readCallersJob(context, dependencies);
  if (record.upload !== 'multipart') {
    throw new ProblemError('bad-request', {
      detail: `The upload goes by ${record.upload}: it is complete when it has arrived, without a call`,
    });
  }
  const { parts } = await readBody(context, CompleteUploadSchema, MAXIMUM_BODY_BYTES);
  refuseGaps(record, parts);
  if (!isUploaded(record)) await complete(record, parts, dependencies);
  return jsonResponse(202, record.job, { etag: entityTagOf(record.job) });
}

async function complete(
  record: JobRecord,
  parts: readonly CompletedPart[],
  { uploads }: ApiDependencies,
): Promise<void> {
  if (record.job.status !== 'awaiting-upload') throw noUpload(record);
  try {
    await uploads.complete(record, parts);
  } catch (error) {
    if (error instanceof UploadNotFoundError) throw noUpload(record, error);
    if (!(error instanceof PartsRefusedError)) throw error;
    const detail = `${error.message}; GET /jobs/${record.job.id}/upload tells which are there`;
    throw new ProblemError('bad-request', { detail }, { cause: error });
  }
}

/** S3 would make an object of whatever parts it is told, and the job would fail by its size: nothing is lost yet here. */
function refuseGaps({ job }: JobRecord, parts: readonly CompletedPart[]): void {
  const count = partCountOf(job.input?.size ?? 0);
  const wrong = parts.findIndex(({ partNumber }, index) => partNumber !== index + 1);
  if (wrong === -1 && parts.length === count) return;
  const path = wrong === -1 ? 'parts' : `parts.${wrong}.partNumber`;
  const message = `must name the parts 1 to ${count}, each once and in order`;
  throw badRequest(new InvalidError('the body', [{ path, message }]));
}
