import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { ProblemError } from './problems.ts';

/**
 * `POST /jobs/{id}/upload/complete`: refused, because no job here has an upload in parts.
 * @throws ProblemError `bad-request`, always.
 */
export async function completeUpload(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  await readCallersJob(context, dependencies);
  throw new ProblemError('bad-request', {
    detail:
      'This installation does not offer multipart uploads yet; an upload by put or post needs no completion',
  });
}
