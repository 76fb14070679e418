import { Hono } from 'hono';
import { cancelJob } from './cancel-job.ts';
import { completeUpload } from './complete-upload.ts';
import { createJob } from './create-job.ts';
import type { Answer, ApiBindings, ApiDependencies } from './dependencies.ts';
import { listJobs } from './list-jobs.ts';
import { ProblemError, problemResponse } from './problems.ts';
import { readJob } from './read-job.ts';
import { readUpload } from './read-upload.ts';
import { reportUpload } from './report-upload.ts';
import { readResult } from './result.ts';
import { issueJobTicket, issueOwnerTicket } from './tickets.ts';
import { listWatchers } from './watchers.ts';

/** A call of the HTTP table. */
interface Call {
  readonly method: 'GET' | 'POST';
  /** As API Gateway spells it: `/jobs/{id}`. */
  readonly path: string;
  readonly answer: Answer;
}

/**
 * The HTTP table of the wire contract. The routes of the deployed API are the same, and so are the calls of
 * docs/openapi.json (test/infrastructure/apis.test.ts).
 */
export const CALLS: readonly Call[] = [
  { method: 'POST', path: '/jobs', answer: createJob },
  { method: 'GET', path: '/jobs', answer: listJobs },
  { method: 'GET', path: '/jobs/{id}', answer: readJob },
  { method: 'POST', path: '/jobs/{id}/tickets', answer: issueJobTicket },
  { method: 'POST', path: '/tickets', answer: issueOwnerTicket },
  { method: 'POST', path: '/jobs/{id}/cancel', answer: cancelJob },
  { method: 'GET', path: '/jobs/{id}/upload', answer: readUpload },
  { method: 'POST', path: '/jobs/{id}/upload/progress', answer: reportUpload },
  { method: 'POST', path: '/jobs/{id}/upload/complete', answer: completeUpload },
  { method: 'GET', path: '/jobs/{id}/result', answer: readResult },
  { method: 'GET', path: '/jobs/{id}/watchers', answer: listWatchers },
];

/** The HTTP API. CORS is not answered here but by API Gateway. */
export type Api = Hono<{ Bindings: ApiBindings }>;

/**
 * Makes the HTTP API. Whatever it is sent, it answers with what the table says or with a problem of the closed
 * set; what is not the caller's doing is logged with its cause.
 */
export function createApi(dependencies: ApiDependencies): Api {
  const api: Api = new Hono();
  for (const { method, path, answer } of CALLS) {
    api.on(method, honoPath(path), (context) => answer(context, dependencies));
  }
  for (const [path, allow] of methodsByPath()) {
    api.all(honoPath(path), (context) => {
      throw methodNotAllowed(context.req.method, allow);
    });
  }
  api.notFound(
    () => problemResponse(new ProblemError('not-found', { detail: 'There is no such path' })).response,
  );
  api.onError((error, context) => {
    const { response, ours } = problemResponse(error);
    if (ours)
      dependencies.log.error('A request failed', {
        method: context.req.method,
        path: context.req.path,
        error,
      });
    return response;
  });
  return api;
}

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function methodsByPath(): ReadonlyMap<string, string> {
  const methods = new Map<string, string>();
  for (const { method, path } of CALLS) {
    const allowed = method === 'GET' ? 'GET, HEAD' : method;
    const others = methods.get(path);
    methods.set(path, others === undefined ? allowed : `${others}, ${allowed}`);
  }
  return methods;
}

/** 405 with a code of the closed table: its own status would hide which methods there are. */
function methodNotAllowed(method: string, allow: string): ProblemError {
  return new ProblemError('bad-request', {
    detail: `${method} is not offered here; one of: ${allow}`,
    status: 405,
    headers: { allow },
  });
}
