import type { ProblemCode } from '../protocol/error-codes.ts';
import type { JobPage, Problem } from '../protocol/http.ts';
import { isJob, isLike, readJson } from '../protocol/light-reader.ts';
import { ProblemError, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import type { Fetch } from './platform.ts';

/** One request to the API. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  /** A job's token; absent is as the caller. */
  readonly token?: string | undefined;
  readonly body?: string | null;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

/**
 * How the API is asked. Answers are read as `readServerFrame` reads frames: what the client steers by is checked.
 */
export interface WatchApi {
  /** The URL that paths are appended to. */
  readonly base: string;
  /**
   * Sends a request and reads the JSON of its answer: null where that is none, undefined for 304.
   * @throws ProblemError for a refusal; UnreachableError when no answer came; UnexpectedAnswerError for an answer that
   * is not `isExpected`; the signal's reason when it aborts.
   */
  call<Answer>(
    path: string,
    isExpected: (answer: unknown) => answer is Answer,
    request: ApiRequest,
  ): Promise<Answer>;
}

/** See `WatchApi`. `api` is the URL that `/jobs` is appended to, with or without a slash at its end. */
export function createWatchApi(api: string, fetch: Fetch): WatchApi {
  const base = api.replace(/\/+$/, '');
  return {
    base,
    async call(path, isExpected, { token, ...request }) {
      const url = base + path;
      let response: Response;
      let text: string;
      try {
        const headers = { ...(token && { authorization: `Bearer ${token}` }), ...request.headers };
        // To fetch a field that is undefined is one that is absent, which its type does not say.
        response = await fetch(url, { ...request, headers } as RequestInit);
        text = await response.text();
      } catch (cause) {
        request.signal?.throwIfAborted();
        throw new UnreachableError(`no answer from ${base}`, { cause });
      }
      const { status } = response;
      const fault = `not an answer of a Jobwire API: ${status} of ${url}`;
      // Who asks for what is newer expects that there may be nothing.
      if (status === 304 && request.headers?.['prefer']) return undefined as never;
      const answer = readJson(text) ?? null;
      if (status > 299) {
        // The date form of the header is left aside: a client's clock may be wrong by more than the wait.
        const retryAfterMs = Number(response.headers.get('retry-after')) * 1000 || undefined;
        throw new ProblemError(
          isProblem(answer)
            ? answer
            : {
                type: 'about:blank', // RFC 9457: the status says it all
                title: fault,
                status,
                code: CODES[status] ?? (status < 500 ? 'bad-request' : 'internal'),
                // 408, 425: "too slow" and "too early" may be tried again, as 429 may.
                retryable: status >= 500 || [408, 425, 429].includes(status),
              },
          retryAfterMs,
        );
      }
      if (isExpected(answer)) return answer;
      throw new UnexpectedAnswerError(fault);
    },
  };
}

/** The path of a job, however hostile its id. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

/** Whether an answer is one of `GET /jobs`. */
export function isPage(answer: unknown): answer is JobPage {
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
  429: 'rate-limited',
};
