import { entityTagOf } from '../../protocol/job.ts';
import { isTerminal } from '../../protocol/status.ts';
import type { JobRecord } from '../ports.ts';
import { callerOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readJobAs } from './job-access.ts';
import { isKnown, type KnownTags, readKnownTags, readWaitSeconds } from './preconditions.ts';
import { jsonResponse } from './responses.ts';

/** How often a job that is waited for is read, in milliseconds: two reads a second are at most 40 a request. */
const READ_INTERVAL_MILLISECONDS = 500;

/** What a held request keeps of the function's time for its last read and its answer, in milliseconds. */
const ANSWER_MILLISECONDS = 2_000;

/** When a client that cannot hold a request should ask again, in seconds. */
const RETRY_AFTER_SECONDS = 2;

/**
 * `GET /jobs/{id}`: the job, or 304 where the client has this state already. With `If-None-Match` and
 * `Prefer: wait` the answer is held until the job moves on; a terminal job never does, so it is not waited for.
 */
export async function readJob(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const id = context.req.param('id') ?? '';
  const caller = await callerOf(context, dependencies);
  const known = readKnownTags(context.req.header('if-none-match'));
  const read = () => readJobAs(caller, id, dependencies);
  const waitSeconds = readWaitSeconds(context.req.header('prefer'));
  // Without a list of tags there is no state to move past: nothing is held, and the preference does not apply.
  const applied = known === undefined || known === 'any' ? undefined : waitSeconds;
  const record =
    applied === undefined
      ? await read()
      : await hold(read, known, holdEnd(context, applied, dependencies), dependencies);
  return answer(record, known, applied);
}

/** Until when (milliseconds since the epoch) a request may be held: what it prefers, or what Lambda leaves. */
function holdEnd(context: ApiContext, seconds: number, { now }: ApiDependencies): number {
  const remaining = context.env?.lambdaContext?.getRemainingTimeInMillis();
  const left = remaining === undefined ? Number.POSITIVE_INFINITY : remaining - ANSWER_MILLISECONDS;
  return now().getTime() + Math.min(seconds * 1_000, left);
}

async function hold(
  read: () => Promise<JobRecord>,
  known: KnownTags | undefined,
  end: number,
  { now, pause }: ApiDependencies,
): Promise<JobRecord> {
  for (;;) {
    const record = await read();
    if (!isKnown(entityTagOf(record.job), known) || isTerminal(record.job.status)) return record;
    const left = end - now().getTime();
    if (left <= 0) return record;
    await pause(Math.min(READ_INTERVAL_MILLISECONDS, left));
  }
}

function answer({ job }: JobRecord, known: KnownTags | undefined, applied: number | undefined): Response {
  const tag = entityTagOf(job);
  const headers = {
    etag: tag,
    // A browser may keep it for its own conditional requests, but never answers from it without asking.
    'cache-control': 'private, no-cache',
    vary: 'Authorization, Prefer',
    ...(isTerminal(job.status) ? {} : { 'retry-after': String(RETRY_AFTER_SECONDS) }),
    ...(applied === undefined ? {} : { 'preference-applied': `wait=${applied}` }),
  };
  return isKnown(tag, known) ? new Response(null, { status: 304, headers }) : jsonResponse(200, job, headers);
}
