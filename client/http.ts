import type { CreatedJob, CreateJobInput, JobPage } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isJob, isLike } from '../protocol/light-reader.ts';
import type { ResultLink } from '../protocol/result-link.ts';
import { RESULT_LINK_TYPE } from '../protocol/result-link-type.ts';
import type { JobWatchers } from '../protocol/watchers.ts';
import type { Fetch } from './platform.ts';
import { type ApiRequest, createWatchApi, isPage, jobPath, type WatchApi } from './watch-api.ts';

/** How a call about one job is made. */
export interface JobCallOptions {
  /** The job's token; absent is as the caller. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** All HTTP calls of the contract. Every one throws what those of `WatchApi` throw. */
export class HttpApi implements WatchApi {
  readonly base: string;
  readonly call: WatchApi['call'];

  /** @param api the URL that `/jobs` is appended to, with or without a slash at its end */
  constructor(api: string, fetch: Fetch) {
    const { base, call } = createWatchApi(api, fetch);
    this.base = base;
    this.call = call;
  }

  /** `POST /jobs`. */
  async create(
    input: CreateJobInput,
    options: { idempotencyKey?: string; signal?: AbortSignal | undefined },
  ): Promise<CreatedJob> {
    const { idempotencyKey, signal } = options;
    return await this.post('/jobs', isCreatedJob, input, {
      ...(idempotencyKey !== undefined && { headers: { 'idempotency-key': idempotencyKey } }),
      signal,
    });
  }

  /** Sends `body` as JSON. */
  post<Answer>(
    path: string,
    isExpected: (answer: unknown) => answer is Answer,
    body: unknown,
    request: Omit<ApiRequest, 'method' | 'body'>,
  ): Promise<Answer> {
    const headers = { 'content-type': 'application/json', ...request.headers };
    return this.call(path, isExpected, { ...request, method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** `GET /jobs/{id}`. */
  async read(id: string, options: JobCallOptions): Promise<Job> {
    return await this.call(jobPath(id), isJob, options);
  }

  /** `GET /jobs`. */
  async list(options: {
    cursor?: string;
    limit?: number;
    signal?: AbortSignal | undefined;
  }): Promise<JobPage> {
    const query = new URLSearchParams();
    if (options.cursor !== undefined) query.set('cursor', options.cursor);
    if (options.limit !== undefined) query.set('limit', String(options.limit));
    return await this.call(`/jobs${query.size === 0 ? '' : `?${query}`}`, isPage, { signal: options.signal });
  }

  /** `POST /jobs/{id}/cancel`. */
  async cancel(id: string, options: JobCallOptions): Promise<Job> {
    return await this.call(`${jobPath(id)}/cancel`, isJob, { ...options, method: 'POST' });
  }

  /** `GET /jobs/{id}/watchers`. */
  async watchers(id: string, options: JobCallOptions): Promise<JobWatchers> {
    return await this.call(`${jobPath(id)}/watchers`, isWatchers, options);
  }

  /**
   * `GET /jobs/{id}/result`, asked for the link: a script in a browser cannot follow the redirect, and a link's `href`
   * cannot carry a token (protocol/result-link-type.ts says why).
   */
  async resultLink(id: string, options: JobCallOptions): Promise<ResultLink> {
    const headers = { accept: RESULT_LINK_TYPE };
    return await this.call(`${jobPath(id)}/result`, isResultLink, { ...options, headers });
  }

  /** Where the result of a job is fetched from, as an absolute URL when the API's is one. */
  resultUrl(id: string): string {
    return `${this.base}${jobPath(id)}/result`;
  }
}

function isCreatedJob(answer: unknown): answer is CreatedJob {
  const created = Object(answer) as Partial<Record<keyof CreatedJob, unknown>>; // each field is looked at below
  return (
    isJob(created.job) &&
    typeof created.token === 'string' &&
    typeof Object(created.watch).ticket === 'string' &&
    (created.upload === undefined || typeof Object(created.upload).method === 'string')
  );
}

function isResultLink(answer: unknown): answer is ResultLink {
  return isLike(answer, { url: '', expiresAt: '' });
}

function isWatchers(answer: unknown): answer is JobWatchers {
  const { watchers, count } = Object(answer) as Partial<Record<keyof JobWatchers, unknown>>; // looked at below
  return Array.isArray(watchers) && typeof count === 'number';
}
