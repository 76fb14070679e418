import * as v from 'valibot';
import { type Api, createApi } from '../../../handlers/api/api.ts';
import type { ApiBindings, ApiDependencies } from '../../../handlers/api/dependencies.ts';
import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import { MemoryResults } from '../../../handlers/memory/memory-results.ts';
import { MemorySubscriptions } from '../../../handlers/memory/memory-subscriptions.ts';
import { MemoryTokens } from '../../../handlers/memory/memory-tokens.ts';
import { MemoryUploads } from '../../../handlers/memory/memory-uploads.ts';
import type { JobRecord } from '../../../handlers/ports.ts';
import type { Deadline } from '../../../handlers/queue-messages.ts';
import { type CreatedJob, CreatedJobSchema, type Problem, ProblemSchema } from '../../../protocol/http.ts';
import { parse } from '../../../protocol/invalid.ts';

/** What `RecordingLog` keeps. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A log that a test can read. */
export class RecordingLog {
  readonly entries: LogEntry[] = [];
  readonly info = this.#writer('info');
  readonly warn = this.#writer('warn');
  readonly error = this.#writer('error');

  #writer(level: LogEntry['level']) {
    return (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      this.entries.push({ level, message, fields });
    };
  }
}

/** The HTTP API on memory, with a clock that only moves when it is told to or when the API pauses. */
export class ApiSetting {
  readonly jobs = new MemoryJobs();
  readonly subscriptions = new MemorySubscriptions();
  readonly uploads = new MemoryUploads();
  readonly results = new MemoryResults();
  readonly deadlines = new MemoryQueue<Deadline>();
  readonly log = new RecordingLog();
  readonly tokens: MemoryTokens;
  readonly dependencies: ApiDependencies;
  readonly api: Api;
  /** How often the API has paused; `onPause` runs at each, after the clock has moved. */
  pauses = 0;
  onPause: () => Promise<unknown> | undefined = () => undefined;
  #now = Date.UTC(2026, 10, 23, 12, 0, 0);

  constructor(overrides: Partial<ApiDependencies> = {}) {
    const now = () => new Date(this.#now);
    this.tokens = new MemoryTokens({ now });
    this.dependencies = {
      jobs: this.jobs,
      subscriptions: this.subscriptions,
      uploads: this.uploads,
      results: this.results,
      tokens: this.tokens,
      deadlines: this.deadlines,
      auth: 'open',
      socketUrl: 'wss://socket.invalid/live',
      now,
      pause: async (milliseconds) => {
        this.pauses += 1;
        this.advance(milliseconds);
        await this.onPause();
      },
      log: this.log,
      ...overrides,
    };
    this.api = createApi(this.dependencies);
  }

  /** The setting's time, in RFC 3339. */
  get at(): string {
    return new Date(this.#now).toISOString();
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** One request; `subject` is whom the API's authorizer names, `token` the bearer's. */
  async request(
    call: string,
    options: {
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly token?: string;
      readonly subject?: string;
      readonly bindings?: ApiBindings;
    } = {},
  ): Promise<Response> {
    const [method, path] = call.split(' ');
    const { body, token, subject } = options;
    const headers = new Headers(options.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    if (body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const bindings: ApiBindings = {
      ...(subject === undefined ? {} : { requestContext: { authorizer: { lambda: { subject } } } }),
      ...options.bindings,
    };
    return await this.api.request(
      path ?? '',
      { method: method ?? 'GET', headers, ...(body === undefined ? {} : { body: text }) },
      bindings,
    );
  }

  /** Asks for a job and expects to get it. */
  async createJob(
    overrides: Readonly<Record<string, unknown>> = {},
    options: Parameters<ApiSetting['request']>[1] = {},
  ): Promise<CreatedJob> {
    const response = await this.request('POST /jobs', { ...options, body: { ...BODY, ...overrides } });
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    return parse('the answer', CreatedJobSchema, await response.json());
  }

  /** Takes a job along the statuses to the last one named. */
  async take(
    id: string,
    ...statuses: readonly ('queued' | 'running' | 'succeeded' | 'failed')[]
  ): Promise<JobRecord> {
    for (const to of statuses) {
      const result = { href: `/jobs/${id}/result`, contentType: 'application/json', size: 2 };
      const error = { code: 'broken', title: 'It broke', retryable: false };
      await this.jobs.change(id, {
        at: this.at,
        to,
        set: { ...(to === 'succeeded' ? { result } : {}), ...(to === 'failed' ? { error } : {}) },
      });
    }
    const record = await this.jobs.read(id);
    if (record === undefined) throw new Error(`There is no job ${id}`);
    return record;
  }
}

/** A body of `POST /jobs` that is right. */
export const BODY = { kind: 'csv-profile', fileName: 'rides.csv', contentType: 'text/csv', size: 11 };

/** Reads a problem, and holds that it is one: media type, schema, and status of the body like that of the answer. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get('content-type');
  if (type !== 'application/problem+json') throw new Error(`No problem: ${response.status} ${type}`);
  const problem = v.parse(ProblemSchema, await response.json());
  if (problem.status !== response.status) throw new Error(`${problem.status} is not ${response.status}`);
  return problem;
}
