import { PROBLEMS, type ProblemCode } from '../protocol/error-codes.ts';
import {
  type CreatedJob,
  CreatedJobSchema,
  type CreateJobInput,
  type JobPage,
  JobPageSchema,
  ProblemSchema,
  problem,
  type Ticket,
  TicketSchema,
} from '../protocol/http.ts';
import { InvalidError, parse, parseJson, type Schema } from '../protocol/invalid.ts';
import { type Job, JobSchema } from '../protocol/job.ts';
import { ProblemError, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import type { Fetch } from './platform.ts';

interface Request {
  readonly method?: 'GET' | 'POST';
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The HTTP calls of the contract. Every one throws `ProblemError` for a refusal, `UnreachableError` when no answer
 * came, `UnexpectedAnswerError` for an answer outside the contract, and the signal's reason when it aborts.
 */
export class HttpApi {
  readonly #base: string;
  readonly #fetch: Fetch;

  /** @param api the URL that `/jobs` is appended to, with or without a slash at its end */
  constructor(api: string, fetch: Fetch) {
    this.#base = api.replace(/\/+$/, '');
    this.#fetch = fetch;
  }

  /** `POST /jobs`. */
  async create(
    input: CreateJobInput,
    options: { idempotencyKey?: string; signal?: AbortSignal },
  ): Promise<CreatedJob> {
    const answer = await this.#call('/jobs', {
      method: 'POST',
      body: input,
      ...(options.idempotencyKey === undefined
        ? {}
        : { headers: { 'idempotency-key': options.idempotencyKey } }),
      signal: options.signal,
    });
    return read(CreatedJobSchema, answer);
  }

  /** `GET /jobs`. */
  async list(options: { cursor?: string; limit?: number; signal?: AbortSignal }): Promise<JobPage> {
    const query = new URLSearchParams();
    if (options.cursor !== undefined) query.set('cursor', options.cursor);
    if (options.limit !== undefined) query.set('limit', String(options.limit));
    const answer = await this.#call(query.size === 0 ? '/jobs' : `/jobs?${query}`, {
      signal: options.signal,
    });
    return read(JobPageSchema, answer);
  }

  /** `POST /jobs/{id}/cancel`. */
  async cancel(id: string, options: { token?: string; signal?: AbortSignal }): Promise<Job> {
    const { token, signal } = options;
    const answer = await this.#call(`${jobPath(id)}/cancel`, { method: 'POST', token, signal });
    return read(JobSchema, answer);
  }

  /** `POST /jobs/{id}/tickets`. */
  async jobTicket(id: string, token: string, signal?: AbortSignal): Promise<Ticket> {
    const answer = await this.#call(`${jobPath(id)}/tickets`, { method: 'POST', token, signal });
    return read(TicketSchema, answer);
  }

  /** `POST /tickets`. */
  async callerTicket(signal?: AbortSignal): Promise<Ticket> {
    return read(TicketSchema, await this.#call('/tickets', { method: 'POST', signal }));
  }

  /** Where the result of a job is fetched from, as an absolute URL when the API's is one. */
  resultUrl(id: string): string {
    return `${this.#base}${jobPath(id)}/result`;
  }

  async #call(path: string, request: Request): Promise<unknown> {
    const response = await this.#send(path, request);
    const text = await this.#orUnreachable(request.signal, () => response.text());
    if (!response.ok) throw problemOf(response, text);
    return readJson(text);
  }

  #send(path: string, request: Request): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
    if (request.token !== undefined) headers['authorization'] = `Bearer ${request.token}`;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    return this.#orUnreachable(request.signal, () =>
      this.#fetch(`${this.#base}${path}`, {
        method: request.method ?? 'GET',
        headers,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      }),
    );
  }

  async #orUnreachable<Result>(signal: AbortSignal | undefined, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (cause) {
      if (signal?.aborted === true) throw signal.reason;
      throw new UnreachableError(`no answer from ${this.#base}`, { cause });
    }
  }
}

function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

function readJson(text: string): unknown {
  return orUnexpected(() => parseJson('the answer', text));
}

function read<Value>(schema: Schema<Value>, answer: unknown): Value {
  return orUnexpected(() => parse('the answer', schema, answer));
}

function orUnexpected<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof InvalidError) throw new UnexpectedAnswerError(cause.message, { cause });
    throw cause;
  }
}

/** What a gateway in front of the API answers has no problem details: then the status says what it can. */
function problemOf(response: Response, text: string): ProblemError {
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  try {
    return new ProblemError(
      parse('the problem', ProblemSchema, parseJson('the problem', text)),
      retryAfterMs,
    );
  } catch (cause) {
    if (!(cause instanceof InvalidError)) throw cause;
    return new ProblemError(problemOfStatus(response.status), retryAfterMs, { cause });
  }
}

function problemOfStatus(status: number) {
  const codes = Object.keys(PROBLEMS) as ProblemCode[]; // the keys of a const table are its codes
  const preferred: readonly ProblemCode[] = ['rate-limited', 'bad-request'];
  const code =
    [...preferred, ...codes].find((each) => PROBLEMS[each].status === status) ??
    (status < 500 ? 'bad-request' : 'internal');
  // 408, 425: the contract has no code of its own for "too slow" and "too early"; both may be tried again.
  return {
    ...problem(code),
    status,
    retryable: PROBLEMS[code].retryable || status === 408 || status === 425,
  };
}

function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  // The date form is left aside: a client's clock may be wrong by more than the wait.
  return /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined;
}
