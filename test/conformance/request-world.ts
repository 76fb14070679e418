import { createApi } from '../../handlers/api/api.ts';
import type { ApiDependencies } from '../../handlers/api/dependencies.ts';
import { BroadcastRoundsTable } from '../../handlers/aws/broadcast-rounds-table.ts';
import { JobsTable } from '../../handlers/aws/jobs-table.ts';
import { SubscriptionsTable } from '../../handlers/aws/subscriptions-table.ts';
import { executionNameOf } from '../../handlers/execution-name.ts';
import { MemoryTokens } from '../../handlers/memory/memory-tokens.ts';
import type { JobRecord, SubscriptionTopic, TicketScope } from '../../handlers/ports.ts';
import { PROFILING_LIMITS } from '../../handlers/process/csv-profile/profiling-limits.ts';
import type { Processor } from '../../handlers/process/processor.ts';
import { JobReporter } from '../../handlers/process/progress-reporter.ts';
import { runJob } from '../../handlers/process/run-job.ts';
import { begin } from '../../handlers/process/workflow/begin.ts';
import { type FailParts, failExecution } from '../../handlers/process/workflow/fail.ts';
import { inspectPayload } from '../../handlers/process/workflow/inspect.ts';
import { mergeRanges } from '../../handlers/process/workflow/merge.ts';
import { uploadedPayload } from '../../handlers/process/workflow/payload.ts';
import { type ProfileParts, profilePayload } from '../../handlers/process/workflow/profile.ts';
import type { StepRequest } from '../../handlers/process/workflow/step-request.ts';
import { broadcast } from '../../handlers/publish/broadcast.ts';
import { deliver } from '../../handlers/publish/deliver.ts';
import { PostPace } from '../../handlers/publish/post-pace.ts';
import { publish } from '../../handlers/publish/publish.ts';
import type { Broadcast, Deadline, Delivery, Work } from '../../handlers/queue-messages.ts';
import { createSocket } from '../../handlers/socket/socket.ts';
import { sweep } from '../../handlers/sweep/sweep.ts';
import { createObjectCreated } from '../../handlers/upload/object-created.ts';
import { CreatedJobSchema } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import type { DynamoDbLocal } from '../dynamodb-local.ts';
import { RecordedTelemetry } from '../handlers/process/recorded-telemetry.ts';
import type { CountedRequests } from './counted-requests.ts';

/** A payload such as the examples use; its job's item is below 1 KB until it succeeds. */
export const PAYLOAD = 'a,b\n1,2\n3,4\n';

/** What a client asks for. */
export const BODY = {
  kind: 'csv-profile',
  fileName: 'measurements.csv',
  contentType: 'text/csv',
  size: PAYLOAD.length,
};

/** What its processor reports. */
const REPORT = {
  progress: { done: 4, total: PAYLOAD.length, unit: 'bytes', fraction: 0.25 },
  step: { name: 'profile', index: 1, count: 2 },
  message: '1 row',
};

/** The largest audience that `publish` posts to itself: small here, so that a large one needs few rows. */
const PORTION = 20;

/** What all executions post together, in a second: far apart, so that a round is not over by itself. */
const POSTS_PER_SECOND = 1;

/** How long the function has that begins now, in milliseconds. */
const FUNCTION_LIFE = 60_000;

/** From the making of a job to the first deadline of a running one, and more. */
const A_WHILE = 5_000;

/** The steps of the workflow, on parts of all of them. */
const STEPS = {
  begin,
  inspect: inspectPayload,
  profile: (request: StepRequest, endsAt: number, parts: ProfileParts) =>
    profilePayload({ ...request, range: 0 }, endsAt, parts),
  merge: mergeRanges,
  fail: (request: StepRequest, endsAt: number, parts: FailParts) =>
    failExecution({ ...request, failure: { error: 'Lambda.Unknown' } }, endsAt, parts),
} as const;

let worlds = 0;

/**
 * The stages as they are deployed, on the adapters of handlers/aws before a real DynamoDB; queues, buckets and
 * connections are in memory, and count what their adapters would ask. Each world has an owner and connections of
 * its own.
 */
export class RequestWorld {
  readonly counted: CountedRequests;
  readonly owner: string;
  readonly jobs: JobsTable;
  readonly subscriptions: SubscriptionsTable;
  readonly connections;
  readonly uploads;
  /** Rows that one execution posts to; a test of large audiences does with fewer. */
  portion = PORTION;
  readonly #telemetry = new RecordedTelemetry();
  readonly #deliveries;
  readonly #broadcasts;
  readonly #rounds;
  readonly #results;
  readonly #deadlines;
  readonly #work;
  readonly #workspace;
  readonly #stateMachine;
  #api;
  #socket;
  readonly #number: number;
  #now = Date.UTC(2026, 10, 23, 12, 0, 0);

  constructor(database: DynamoDbLocal, counted: CountedRequests, client: DynamoDbLocal['client']) {
    worlds += 1;
    this.#number = worlds;
    this.owner = `owner-${worlds}`;
    this.counted = counted;
    this.jobs = new JobsTable({ client, ...database.jobs });
    this.subscriptions = new SubscriptionsTable({ client, ...database.subscriptions });
    this.connections = counted.connections();
    this.uploads = counted.uploads();
    this.#results = counted.results();
    this.#deliveries = counted.queue<Delivery>('deliveries');
    this.#broadcasts = counted.queue<Broadcast>('broadcasts');
    this.#rounds = new BroadcastRoundsTable({ client, ...database.subscriptions });
    this.#deadlines = counted.queue<Deadline>('deadlines');
    this.#work = counted.queue<Work>('work');
    this.#workspace = counted.workspace();
    this.#stateMachine = counted.stateMachine();
    this.#api = this.#newApi();
    this.#socket = this.#newSocket();
  }

  /** The API answers as it does where a workflow works on jobs. */
  withWorkflow(): void {
    this.#api = this.#newApi({ executions: this.#stateMachine });
  }

  #newApi(more: Partial<ApiDependencies> = {}) {
    return createApi({
      jobs: this.jobs,
      subscriptions: this.subscriptions,
      uploads: this.uploads,
      results: this.#results,
      tokens: new MemoryTokens({ now: this.now }),
      deadlines: this.#deadlines,
      auth: 'authorizer',
      socketUrl: 'wss://socket.invalid/v1',
      now: this.now,
      pause: async (milliseconds) => this.advance(milliseconds),
      log: this.#telemetry.log,
      ...more,
    });
  }

  /** Another execution environment answers from now on, which remembers nothing. */
  restartSocket(): void {
    this.#socket = this.#newSocket();
  }

  #newSocket() {
    return createSocket({
      jobs: this.jobs,
      subscriptions: this.subscriptions,
      connections: this.connections,
      deliveries: this.#deliveries,
      now: this.now,
      log: this.#telemetry.log,
    });
  }

  readonly now = (): Date => new Date(this.#now);

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** A connection id of this world. */
  connection(number = 0): string {
    return `${String(this.#number * 1_000 + number).padStart(15, 'C')}=`;
  }

  /** Calls the HTTP API as the world's owner. @throws Error for an answer of 400 or above. */
  async call(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const response = await this.#api.request(
      path,
      {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      { requestContext: { authorizer: { lambda: { subject: this.owner } } } },
    );
    if (response.status >= 400)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** Asks for a job by the API. */
  async create(fields: Readonly<Record<string, unknown>> = {}, headers = {}): Promise<JobRecord> {
    const response = await this.call('POST', '/jobs', { ...BODY, ...fields }, headers);
    const { job } = parse('the created job', CreatedJobSchema, await response.json());
    this.advance(A_WHILE);
    return this.#read(job.id);
  }

  /** A job whose upload has arrived; put straight into the table, because every request here costs time. */
  async queued(): Promise<JobRecord> {
    const record = await this.create();
    const { tag } = this.uploads.put(record, PAYLOAD);
    const { id, epoch } = record.job;
    const at = this.now().toISOString();
    return await this.jobs.change(id, { at, to: 'queued', epoch, set: { objectTag: tag } });
  }

  /** A job that an execution works on, and has told of its progress. */
  async running(): Promise<JobRecord> {
    const { id, epoch } = (await this.queued()).job;
    const execution = {
      id: '0f8fad5b-d9cb-469f-a165-70867728950e',
      aliveUntil: new Date(this.#now + 60_000).toISOString(),
    };
    const at = this.now().toISOString();
    return await this.jobs.change(id, { at, to: 'running', epoch, set: { ...REPORT, execution } });
  }

  /** What EventBridge tells of an upload. */
  arrive({ job }: JobRecord, by: 'queue' | 'workflow' = 'queue'): Promise<void> {
    const { jobs, uploads, now } = this;
    const { log } = this.#telemetry;
    const work = by === 'queue' ? this.#work : this.#stateMachine;
    return createObjectCreated({ jobs, uploads, work, now, log })({
      job: job.id,
      epoch: job.epoch,
    });
  }

  /** One execution from claim to end, with a processor that reports once. */
  async work({ job }: JobRecord, when: { begun?: () => void; ending?: () => void } = {}): Promise<void> {
    const { log, meter } = this.#telemetry;
    const processor: Processor = {
      kind: 'csv-profile',
      process: async ({ report }) => {
        when.begun?.();
        report(REPORT);
        while ((await this.#read(job.id)).job.message !== REPORT.message);
        await this.counted.answered(); // the write that was just seen, too
        when.ending?.();
        return { body: '{}', contentType: 'application/json' };
      },
    };
    const answer = await runJob({ job: job.id, epoch: job.epoch }, this.#now + FUNCTION_LIFE, {
      jobs: this.jobs,
      uploads: this.uploads,
      results: this.#results,
      deadlines: this.#deadlines,
      processors: { 'csv-profile': processor },
      clock: this.#clock(),
      log,
      meter,
      newExecution: () => crypto.randomUUID(),
      random: () => 0.5,
    });
    if (answer !== 'done') throw new Error('The work was kept');
  }

  /** One step of the workflow. */
  async step({ job: { id: job, epoch } }: JobRecord, name: keyof typeof STEPS): Promise<void> {
    const request = { job, epoch, execution: executionNameOf({ job, epoch }) };
    const payload = uploadedPayload(this.uploads);
    await STEPS[name](request, this.#now + FUNCTION_LIFE, {
      jobs: this.jobs,
      results: this.#results,
      deadlines: this.#deadlines,
      limits: PROFILING_LIMITS,
      workspace: this.#workspace,
      payload,
      steps: payload.steps,
      clock: this.#clock(),
      log: this.#telemetry.log,
      meter: this.#telemetry.meter,
      random: () => 0.5,
    });
  }

  /** One report of an execution, written. */
  async report(record: JobRecord): Promise<void> {
    const reporter = this.#reporter(record);
    reporter.report(REPORT);
    await reporter.settle();
  }

  /** What an execution does that has nothing to report for two seconds. */
  async look(record: JobRecord): Promise<void> {
    const due: (() => void)[] = [];
    const reporter = this.#reporter(record, (callback) => void due.push(callback));
    this.advance(2_000);
    for (const callback of due) callback();
    await reporter.settle();
  }

  /** A message of the deadlines queue. */
  async sweep({ job }: JobRecord): Promise<void> {
    const { jobs, uploads, now } = this;
    const { log, meter } = this.#telemetry;
    const message = { job: job.id, epoch: job.epoch };
    const parts = { jobs, uploads, work: this.#work, deadlines: this.#deadlines, now, log, meter };
    const kept = await sweep([{ messageId: 'm', message }], parts);
    if (kept.length > 0) throw new Error('The deadline was kept');
  }

  /** A frame of a client. @throws Error where it is answered with an error. */
  async send(
    frame: object,
    scope: TicketScope = this.ownerScope,
    connection = this.connection(),
  ): Promise<void> {
    const text = JSON.stringify(frame);
    const { body = '' } = await this.#socket({ kind: 'frame', connection, scope, text });
    if (body.includes('"type":"error"')) throw new Error(body);
  }

  async connect(query: Readonly<Record<string, string>> = {}): Promise<void> {
    const event = { kind: 'connect', connection: this.connection(), scope: this.ownerScope, query } as const;
    const { statusCode } = await this.#socket({ ...event, protocols: ['jobwire.v1'] });
    if (statusCode !== 200) throw new Error(`$connect: ${statusCode}`);
  }

  async disconnect(): Promise<void> {
    await this.#socket({ kind: 'disconnect', connection: this.connection() });
  }

  get ownerScope(): TicketScope {
    return { kind: 'owner', subject: this.owner };
  }

  /** The ticket of one job. */
  scopeOf({ job }: JobRecord): TicketScope {
    return { kind: 'job', subject: this.owner, job: job.id };
  }

  /** Subscribes so many connections, all of them open. */
  async watch(topic: SubscriptionTopic, watchers: number, first = 0): Promise<void> {
    for (let number = first; number < first + watchers; number += 1) {
      this.connections.open(this.connection(number));
      await this.subscriptions.add({
        topic,
        connection: this.connection(number),
        since: this.now().toISOString(),
        expiresAt: new Date(this.#now + 7_800_000).toISOString(),
      });
    }
  }

  /** Publishes a batch of the stream with these states. */
  async publish(...records: readonly JobRecord[]): Promise<void> {
    const changes = records.map((record, index) => ({
      sequenceNumber: String(index),
      at: this.now(),
      record,
    }));
    const again = await publish(changes, this.#publishParts(), this.#now + FUNCTION_LIFE);
    if (again !== undefined) throw new Error('The batch must come again');
  }

  /** A batch of the deliveries queue. */
  async deliver(...messages: readonly Delivery[]): Promise<void> {
    const readings = messages.map((message, index) => ({ messageId: String(index), message }));
    const parts = { ...this.#publishParts(), jobs: this.jobs };
    const kept = await deliver(readings, parts, this.#now + FUNCTION_LIFE);
    if (kept.length > 0) throw new Error('Deliveries were kept');
  }

  /** Works off the last message of the broadcasts queue: of ranges, the one with the last connection. */
  async broadcast(): Promise<void> {
    const last = this.#broadcasts.take().at(-1);
    if (last === undefined) throw new Error('The broadcasts queue is empty');
    const parts = {
      ...this.#publishParts(),
      jobs: this.jobs,
      postsPerSecond: POSTS_PER_SECOND,
      pace: new PostPace({ perSecond: 1_000_000, now: () => performance.now(), pause: async () => {} }),
    };
    const kept = await broadcast(
      [{ messageId: 'm', message: last.message }],
      parts,
      this.#now + FUNCTION_LIFE,
    );
    if (kept.length > 0) throw new Error('The broadcast was kept');
  }

  #publishParts() {
    const { subscriptions, connections, now } = this;
    const { log, meter } = this.#telemetry;
    return {
      subscriptions,
      connections,
      deliveries: this.#deliveries,
      broadcasts: this.#broadcasts,
      rounds: this.#rounds,
      portion: this.portion,
      pause: async (milliseconds: number) => this.advance(milliseconds),
      now,
      random: () => 0.5,
      log,
      meter,
    };
  }

  #reporter(record: JobRecord, schedule: (callback: () => void) => void = () => {}): JobReporter {
    const { execution } = record;
    if (execution === undefined) throw new Error('Nobody works on the job');
    return new JobReporter({
      jobs: this.jobs,
      record,
      execution: execution.id,
      clock: this.#clock(schedule),
      log: this.#telemetry.log,
      stop: (reason) => {
        throw reason;
      },
    });
  }

  #clock(schedule: (callback: () => void) => void = () => {}) {
    return {
      now: () => this.#now,
      schedule: (_delayMs: number, callback: () => void) => {
        schedule(callback);
        return { cancel: () => {} };
      },
    };
  }

  async #read(id: string): Promise<JobRecord> {
    const record = await this.jobs.read(id);
    if (record === undefined) throw new Error('The job is gone');
    return record;
  }
}
