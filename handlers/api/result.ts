import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { ProblemError } from './problems.ts';

/** How long a download link may be followed, in seconds: it is followed at once, and acts for its bearer. */
const LINK_SECONDS = 60;

/**
 * `GET /jobs/{id}/result`: sends the client to the result.
 * @throws ProblemError `not-found` while there is none.
 */
export async function readResult(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const record = await readCallersJob(context, dependencies);
  if (record.job.result === undefined) {
    throw new ProblemError('not-found', { detail: `There is no result: the job is ${record.job.status}` });
  }
  const location = await dependencies.results.link(record, LINK_SECONDS);
  return new Response(null, { status: 302, headers: { location, 'cache-control': 'no-store' } });
}
