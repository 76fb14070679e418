import { RESULT_LINK_TYPE, type ResultLink } from '../../protocol/result-link.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { ProblemError } from './problems.ts';
import { jsonResponse } from './responses.ts';

/** How long a download link may be followed, in seconds: it is followed at once, and acts for its bearer. */
const LINK_SECONDS = 60;

/** The answer depends on `Accept`. It is stored nowhere, but a cache that errs should err to the safe side. */
const VARY = { vary: 'accept' };

/**
 * `GET /jobs/{id}/result`: sends the client to the result, or tells it the way where it asks for
 * `RESULT_LINK_TYPE` by name; a wildcard does not.
 * @throws ProblemError `not-found` while there is none.
 */
export async function readResult(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const record = await readCallersJob(context, dependencies);
  if (record.job.result === undefined) {
    throw new ProblemError('not-found', { detail: `There is no result: the job is ${record.job.status}` });
  }
  // Before the link is signed, so that it never claims to live longer than it does.
  const expiresAt = new Date(dependencies.now().getTime() + LINK_SECONDS * 1000).toISOString();
  const url = await dependencies.results.link(record, LINK_SECONDS);
  if (asksForLink(context.req.header('accept'))) {
    const link: ResultLink = { url, expiresAt };
    return jsonResponse(200, link, { ...VARY, 'content-type': RESULT_LINK_TYPE });
  }
  return new Response(null, {
    status: 302,
    headers: { ...VARY, location: url, 'cache-control': 'no-store' },
  });
}

/** Parameters, a weight among them, do not matter: who knows the type at all wants it. */
function asksForLink(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((each) => each.split(';', 1)[0]?.trim().toLowerCase());
  return types.includes(RESULT_LINK_TYPE);
}
