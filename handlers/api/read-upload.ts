import * as v from 'valibot';
import type { UploadState } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import { PartNumberSchema, type UploadedPart } from '../../protocol/upload.ts';
import { UploadNotFoundError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { orBadRequest } from './request-body.ts';
import { jsonResponse } from './responses.ts';
import { isUploaded, noUpload } from './upload-access.ts';
import { grantEnd } from './upload-time.ts';

const FromSchema = v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), PartNumberSchema);

/**
 * `GET /jobs/{id}/upload?from=N`: which parts are there, from part N on, and fresh URLs for those that are not: to
 * go on after a reload, when a URL has expired, and for the parts that did not fit into one answer. For an upload
 * by PUT or POST a fresh grant of the whole.
 * @throws ProblemError `conflict` with the job where it has ended without an upload; `bad-request`.
 */
export async function readUpload(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const record = await readCallersJob(context, dependencies);
  const query = context.req.query('from') ?? '1';
  const from = orBadRequest(() => parse('from', v.object({ from: FromSchema }), { from: query })).from;
  return jsonResponse(200, await stateOf(record, from, dependencies));
}

async function stateOf(
  record: JobRecord,
  from: number,
  { uploads, now }: ApiDependencies,
): Promise<UploadState> {
  const { job } = record;
  if (isUploaded(record)) return { job, complete: true, uploaded: [] };
  const until = grantEnd(record, now());
  if (job.status !== 'awaiting-upload' || until === undefined) throw noUpload(record);
  const uploaded = record.upload === 'multipart' ? await partsOf(record, from, uploads) : [];
  if (uploaded === 'completed') return { job, complete: true, uploaded: [] };
  const wanted = { from, uploaded: new Set(uploaded.map(({ partNumber }) => partNumber)) };
  const upload = await uploads.grant(record, until, wanted);
  return { job, complete: false, uploaded: [...uploaded], upload };
}

/** The parts; `completed` where they are an object already, of which the job has not heard yet. */
async function partsOf(
  record: JobRecord,
  from: number,
  uploads: ApiDependencies['uploads'],
): Promise<readonly UploadedPart[] | 'completed'> {
  try {
    return await uploads.parts(record, from);
  } catch (error) {
    if (!(error instanceof UploadNotFoundError)) throw error;
    if ((await uploads.inspect(record)) !== undefined) return 'completed';
    throw noUpload(record, error);
  }
}
