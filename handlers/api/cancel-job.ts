import { entityTagOf, type Job } from '../../protocol/job.ts';
import { isTerminal } from '../../protocol/status.ts';
import { ChangeRefusedError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import { callerOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readJobAs } from './job-access.ts';
import { ProblemError } from './problems.ts';
import { jsonResponse } from './responses.ts';
import { isUploaded } from './upload-access.ts';

/** How often a cancellation is tried. The second time it meets what won the race the first time. */
const ATTEMPTS = 2;

/**
 * `POST /jobs/{id}/cancel`: 202 and the cancelled job, again 202 when it is cancelled already. The process
 * function, or a step of the workflow, notices by its next write, or its next look at the job within two seconds.
 * @throws ProblemError `conflict` with the job where it has ended in another way.
 */
export async function cancelJob(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const id = context.req.param('id') ?? '';
  const caller = await callerOf(context, dependencies);
  for (let attempt = 1; ; attempt += 1) {
    const record = await readJobAs(caller, id, dependencies);
    try {
      const ended = isTerminal(record.job.status) ? record : await cancel(record, dependencies);
      if (ended.job.status === 'cancelled') {
        await giveUpUpload(ended, dependencies);
        await stopExecution(ended, dependencies);
      }
      return answer(ended.job);
    } catch (error) {
      // The job moved on between the read and the write: it ended, or it was made anew. Look again.
      if (!(error instanceof ChangeRefusedError)) throw error;
      if (attempt === ATTEMPTS) return answer(error.current.job, error);
    }
  }
}

function cancel({ job }: JobRecord, { jobs, now }: ApiDependencies): Promise<JobRecord> {
  const at = now().toISOString();
  return jobs.change(job.id, { at, to: 'cancelled', epoch: job.epoch, clear: ['ranges'] });
}

/**
 * Deletes the parts of an upload that nobody will complete; again when the job is cancelled again, because a part
 * that was on its way at that moment may arrive after (S3 API, AbortMultipartUpload). Where it cannot be done, the
 * bucket's lifecycle rule does it within a day or two.
 */
async function giveUpUpload(record: JobRecord, { uploads, log }: ApiDependencies): Promise<void> {
  if (record.upload !== 'multipart' || isUploaded(record)) return;
  try {
    await uploads.abort(record);
  } catch (error) {
    log.warn('The parts of a cancelled upload are left to the bucket', { job: record.job.id, error });
  }
}

/**
 * Stops the execution of the workflow, which then starts no step any more; those that run notice as the process
 * function does. Where it cannot be done now, the next step that begins ends the execution.
 */
async function stopExecution(record: JobRecord, { executions, log }: ApiDependencies): Promise<void> {
  if (executions === undefined || !isUploaded(record)) return;
  try {
    await executions.stop({ job: record.job.id, epoch: record.job.epoch });
  } catch (error) {
    log.warn('The execution of a cancelled job ends by itself', { job: record.job.id, error });
  }
}

function answer(job: Job, cause?: ChangeRefusedError): Response {
  if (job.status === 'cancelled') return jsonResponse(202, job, { etag: entityTagOf(job) });
  throw new ProblemError(
    'conflict',
    { detail: `The job is ${job.status}; it cannot be cancelled`, job },
    { cause },
  );
}
