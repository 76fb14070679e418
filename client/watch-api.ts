import type { ProblemCode } from '../protocol/error-codes.ts';
import { entityTagOf, type Head } from '../protocol/head.ts';
import type { JobPage, Problem, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isJob, isLike, readJson } from '../protocol/light-reader.ts';
import { ProblemError, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import type { Fetch } from './platform.ts';

/** One request to the API. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  /** A job's token; absent is as the caller. */
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The HTTP calls that watching needs. Every one throws `ProblemError` for a refusal, `UnreachableError` when no
 * answer came, `UnexpectedAnswerError` for an answer outside the contract, and the signal's reason when it aborts.
 * Answers are read as `readServerFrame` reads frames: what the client steers by is checked.
 */
export class WatchApi {
  /** The URL that paths are appended to. */
  readonly base: string;
  readonly #fetch: Fetch;

  /** @param api the URL that `/jobs` is appended to, with or without a slash at its end */
  constructor(api: string, fetch: Fetch) {
    this.base = api.replace(/\/+$/, '');
    this.#fetch = fetch;
  }

  /** `POST /tickets`, or `POST /jobs/{id}/tickets` with a job's token. */
  async ticket(
    job: { readonly id: string; readonly token: string | undefined },
    signal: AbortSignal,
  ): Promise<Watch> {
    const path = job.token === undefined ? '' : jobPath(job.id);
    return expectAnswer(
      isWatch,
      await this.call(`${path}/tickets`, { method: 'POST', token: job.token, signal }),
    );
  }

  /**
   * `GET /jobs/{id}`. With `known` the answer may be undefined: nothing newer came within `waitSeconds`, at most 20.
   */
  async jobAfter(
    id: string,
    known: Head | undefined,
    options: { waitSeconds: number; token: string | undefined; signal: AbortSignal },
  ): Promise<Job | undefined> {
    const { waitSeconds, ...request } = options;
    const headers = known && { 'if-none-match': entityTagOf(known), prefer: `wait=${waitSeconds}` };
    const answer = await this.call(jobPath(id), { headers, ...request });
    return answer === undefined ? undefined : expectAnswer(isJob, answer);
  }

  /** `GET /jobs`; `query` is what follows the path. */
  async page(query: string, signal: AbortSignal | undefined): Promise<JobPage> {
    return expectAnswer(isPage, await this.call(`/jobs${query}`, { signal }));
  }

  /** Sends a request and reads the JSON of its answer: null where that is none, undefined for 304. */
  async call(path: string, request: ApiRequest): Promise<unknown> {
    const { method = 'GET', token, body, signal } = request;
    try {
      const response = await this.#fetch(this.base + path, {
        method,
        headers: {
          accept: 'application/json',
          ...(token && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
      });
      const { status } = response;
      const answer = readJson(await response.text()) ?? null;
      if (status === 304) return undefined;
      if (response.ok) return answer;
      // The date form of the header is left aside: a client's clock may be wrong by more than the wait.
      const retryAfterMs = Number(response.headers.get('retry-after')) * 1000 || undefined;
      throw new ProblemError(isProblem(answer) ? answer : problemOfStatus(status), retryAfterMs);
    } catch (cause) {
      if (cause instanceof ProblemError) throw cause;
      if (signal?.aborted) throw signal.reason;
      throw new UnreachableError(`no answer from ${this.base}`, { cause });
    }
  }
}

/** The path of a job, however hostile its id. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

/**
 * The answer, if it is what was asked for.
 * @throws UnexpectedAnswerError
 */
export function expectAnswer<Answer>(is: (answer: unknown) => answer is Answer, answer: unknown): Answer {
  if (is(answer)) return answer;
  throw new UnexpectedAnswerError('not the answer of a Jobwire API');
}

function isWatch(answer: unknown): answer is Watch {
  return isLike(answer, { url: '', protocols: [] });
}

function isPage(answer: unknown): answer is JobPage {
  return isLike(answer, { jobs: [] }) && (answer as JobPage).jobs.every(isJob); // they are an array
}

function isProblem(answer: unknown): answer is Problem {
  return isLike(answer, { code: '', title: '', retryable: true });
}

/** The codes that the gateways in front of an API answer by themselves. */
const CODES: Readonly<Record<number, ProblemCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  413: 'too-large',
  429: 'rate-limited',
};

/** What a gateway in front of the API answers has no problem details: then the status says what it can. */
function problemOfStatus(status: number): Problem {
  const code = CODES[status] ?? (status < 500 ? 'bad-request' : 'internal');
  return {
    type: `urn:jobwire:problem:${code}`,
    title: `status ${status}`,
    status,
    code,
    // 408, 425: "too slow" and "too early" may be tried again, as 429 may.
    retryable: status >= 500 || [408, 425, 429].includes(status),
  };
}
