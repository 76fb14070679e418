import * as v from 'valibot';
import { DEFAULT_PAGE, type JobPage, MAXIMUM_PAGE } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import { MalformedDataError } from '../errors.ts';
import type { JobRecordPage } from '../ports.ts';
import { subjectOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { isPast } from './job-access.ts';
import { ProblemError } from './problems.ts';
import { jsonResponse } from './responses.ts';

/** The query of `GET /jobs`. A cursor is opaque; ours stay far below 2,048 characters. */
const QuerySchema = v.object({
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,9}$/, `must be a number from 1 to ${MAXIMUM_PAGE}`),
      v.transform(Number),
      v.minValue(1, `must be a number from 1 to ${MAXIMUM_PAGE}`),
      v.maxValue(MAXIMUM_PAGE, `must be a number from 1 to ${MAXIMUM_PAGE}`),
    ),
  ),
  cursor: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(2_048))),
});

/**
 * `GET /jobs`: a page of the caller's jobs, newest first; a new one may be missing for a moment.
 * @throws ProblemError `bad-request` for a limit out of range or a cursor that no page of the caller's gave.
 */
export async function listJobs(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const owner = await subjectOf(context, dependencies);
  const { limit = DEFAULT_PAGE, cursor } = parse('the query', QuerySchema, context.req.query());
  const { records, cursor: next } = await readPage(owner, limit, cursor, dependencies);
  const now = dependencies.now();
  const page: JobPage = {
    jobs: records.filter((record) => !isPast(record, now)).map((record) => record.job),
    ...(next === undefined ? {} : { cursor: next }),
  };
  return jsonResponse(200, page);
}

async function readPage(
  owner: string,
  limit: number,
  cursor: string | undefined,
  { jobs }: ApiDependencies,
): Promise<JobRecordPage> {
  if (cursor === undefined) return await jobs.list(owner, { limit });
  try {
    return await jobs.list(owner, { limit, cursor });
  } catch (error) {
    if (error instanceof MalformedDataError) {
      const detail = 'cursor is not one that a page of yours gave; begin again without it';
      throw new ProblemError(
        'bad-request',
        { detail, issues: [{ path: 'cursor', message: detail }] },
        { cause: error },
      );
    }
    throw error;
  }
}
