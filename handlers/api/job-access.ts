import * as v from 'valibot';
import { JobIdSchema } from '../../protocol/job.ts';
import type { JobRecord } from '../ports.ts';
import { type Caller, callerOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { ProblemError } from './problems.ts';

/** Whether a job's time is over. TTL deletes days later (aws-facts 3.1), so the item may still be there. */
export function isPast(record: JobRecord, now: Date): boolean {
  return record.job.expiresAt <= now.toISOString(); // both RFC 3339 in UTC with milliseconds: order of text is order of time
}

/**
 * The job that the path names, if the caller may see it. A job of somebody else is answered like one that does
 * not exist, so that ids cannot be probed; only the bearer of a token learns that it is for another job.
 * @throws ProblemError `unauthorized`, `forbidden`, `not-found`; UnavailableError; MalformedDataError.
 */
export async function readCallersJob(context: ApiContext, dependencies: ApiDependencies): Promise<JobRecord> {
  const id = context.req.param('id') ?? '';
  const caller = await callerOf(context, dependencies);
  return await readJobAs(caller, id, dependencies);
}

/** As `readCallersJob`, for a caller and an id that are known. */
export async function readJobAs(
  caller: Caller,
  id: string,
  { jobs, now }: Pick<ApiDependencies, 'jobs' | 'now'>,
): Promise<JobRecord> {
  if (caller.kind === 'job-token' && caller.job !== id) {
    throw new ProblemError('forbidden', { detail: 'The token is for another job' });
  }
  const owner = caller.kind === 'subject' ? caller.subject : caller.owner;
  const record = v.is(JobIdSchema, id) ? await jobs.read(id) : undefined;
  if (record === undefined || record.owner !== owner || isPast(record, now())) {
    throw new ProblemError('not-found', { detail: 'There is no such job' });
  }
  return record;
}
