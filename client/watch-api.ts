import type { ProblemCode } from '../protocol/error-codes.ts';
import { entityTagOf, type Head } from '../protocol/head.ts';
import type { JobPage, Problem, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isJob } from '../protocol/light-reader.ts';
import { ProblemError, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import type { Fetch } from './platform.ts';

/** One request to the API. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  /** A job's token; absent is as the caller. */
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
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
    job: { readonly id: string; readonly token: string } | undefined,
    signal?: AbortSignal,
  ): Promise<Watch> {
    const answer = await this.call(`${job === undefined ? '' : jobPath(job.id)}/tickets`, {
      method: 'POST',
      token: job?.token,
      signal,
    });
    return expectAnswer(isWatch, answer);
  }

  /**
   * `GET /jobs/{id}`. With `known` the answer may be undefined: nothing newer came within `waitSeconds`, at most 20.
   */
  async jobAfter(
    id: string,
    known: Head | undefined,
    options: { waitSeconds?: number; token?: string | undefined; signal?: AbortSignal | undefined },
  ): Promise<Job | undefined> {
    const { waitSeconds, token, signal } = options;
    const headers =
      known === undefined
        ? {}
        : {
            'if-none-match': entityTagOf(known),
            ...(waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` }),
          };
    const answer = await this.call(jobPath(id), { headers, token, signal });
    return answer === NOT_MODIFIED ? undefined : expectAnswer(isJob, answer);
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
    const search = String(query);
    return expectAnswer(
      isPage,
      await this.call(search === '' ? '/jobs' : `/jobs?${search}`, { signal: options.signal }),
    );
  }

  /** Sends a request and reads the JSON of its answer: undefined where that is none, `NOT_MODIFIED` for 304. */
  async call(path: string, request: ApiRequest): Promise<unknown> {
    const { method = 'GET', token, body, signal } = request;
    try {
      const response = await this.#fetch(this.base + path, {
        method,
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
      });
      const answer = readJson(await response.text());
      if (response.status === 304) return NOT_MODIFIED;
      if (response.ok) return answer;
      throw new ProblemError(
        isProblem(answer) ? answer : problemOfStatus(response.status),
        readRetryAfter(response.headers.get('retry-after')),
      );
    } catch (cause) {
      if (cause instanceof ProblemError) throw cause;
      if (signal?.aborted === true) throw signal.reason;
      throw new UnreachableError(`no answer from ${this.base}`, { cause });
    }
  }
}

/** What `call` answers for 304: the client has this state already. */
export const NOT_MODIFIED: unique symbol = Symbol('not modified');

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
  throw new UnexpectedAnswerError('the answer is not one of a Jobwire API');
}

function isWatch(answer: unknown): answer is Watch {
  const { url, protocols } = fieldsOf(answer);
  return typeof url === 'string' && Array.isArray(protocols);
}

function isPage(answer: unknown): answer is JobPage {
  const { jobs } = fieldsOf(answer);
  return Array.isArray(jobs) && jobs.every(isJob);
}

function isProblem(answer: unknown): answer is Problem {
  const { code, title, retryable } = fieldsOf(answer);
  return typeof code === 'string' && typeof title === 'string' && typeof retryable === 'boolean';
}

function fieldsOf(answer: unknown): Readonly<Record<string, unknown>> {
  return Object(answer);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // whoever wants JSON says what is wrong
  }
}

const CODES: Readonly<Record<number, ProblemCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'rate-limited',
};

/** What a gateway in front of the API answers has no problem details: then the status says what it can. */
function problemOfStatus(status: number): Problem {
  const code = CODES[status] ?? (status < 500 ? 'bad-request' : 'internal');
  return {
    type: `urn:jobwire:problem:${code}`,
    title: `The API answered with status ${status}`,
    status,
    code,
    // 408, 425: "too slow" and "too early" may be tried again, as 429 may.
    retryable: status >= 500 || [408, 425, 429].includes(status),
  };
}

function readRetryAfter(value: string | null): number | undefined {
  // The date form is left aside: a client's clock may be wrong by more than the wait.
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined;
}
