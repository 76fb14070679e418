import { InvalidError } from '../../protocol/invalid.ts';
import { entityTagOf, type Progress } from '../../protocol/job.ts';
import { UploadProgressSchema } from '../../protocol/upload.ts';
import { UPLOAD_SHARE } from '../../protocol/upload-share.ts';
import { ChangeRefusedError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { badRequest } from './problems.ts';
import { readBody } from './request-body.ts';
import { jsonResponse } from './responses.ts';
import { isUploaded, noUpload } from './upload-access.ts';

/**
 * The least time between two writes of one upload, in milliseconds. Whoever reports more often is not refused, but
 * not written: the next report says more anyway, and a client gone wild costs reads instead of a write, a stream
 * record and a post to every watcher each.
 */
const WRITE_EVERY = 1_000;

/**
 * `POST /jobs/{id}/upload/progress`: 202 and the job. What comes late, again, too often or out of order changes
 * nothing, so that an uploader need not care.
 * @throws ProblemError `conflict` with the job where it has ended without an upload, so that the uploader stops;
 *   `bad-request`.
 */
export async function reportUpload(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const record = await readCallersJob(context, dependencies);
  const { sent } = await readBody(context, UploadProgressSchema);
  const total = record.job.input?.size ?? 0;
  if (sent > total) {
    const message = `must be at most ${total}, the size that was announced`;
    throw badRequest(new InvalidError('the body', [{ path: 'sent', message }]));
  }
  if (!isUploaded(record) && record.job.status !== 'awaiting-upload') throw noUpload(record);
  const { job } = await write(record, sent, total, dependencies);
  return jsonResponse(202, job, { etag: entityTagOf(job) });
}

async function write(
  record: JobRecord,
  sent: number,
  total: number,
  { jobs, now }: ApiDependencies,
): Promise<JobRecord> {
  const { job } = record;
  const at = now();
  const isNews = job.status === 'awaiting-upload' && sent > (job.progress?.done ?? 0);
  if (!isNews || at.getTime() - Date.parse(job.updatedAt) < WRITE_EVERY) return record;
  const fraction = Math.max(job.progress?.fraction ?? 0, (UPLOAD_SHARE * sent) / total);
  const progress: Progress = { done: sent, total, unit: 'bytes', fraction };
  try {
    return await jobs.change(job.id, {
      at: at.toISOString(),
      within: ['awaiting-upload'],
      epoch: job.epoch,
      seq: job.seq, // of reports that come together one is written
      set: { progress, step: { name: 'upload', index: 1, count: 1 }, uploadShare: UPLOAD_SHARE },
    });
  } catch (error) {
    if (error instanceof ChangeRefusedError) return error.current;
    throw error;
  }
}
