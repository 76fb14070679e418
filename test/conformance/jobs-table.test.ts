import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toAttributes } from '../../handlers/aws/job-item.ts';
import { JobsTable } from '../../handlers/aws/jobs-table.ts';
import { SubscriptionsTable } from '../../handlers/aws/subscriptions-table.ts';
import type { MalformedDataError } from '../../handlers/errors.ts';
import type { JobRecord } from '../../handlers/ports.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.ts';
import { MADE_AT, sampleNewJob, secondsLater } from './sample-jobs.ts';

/** What happens to one request on its way to the database and back; undefined lets it pass. */
type Mishap = (operation: string, response: ServerResponse, pass: () => Promise<Buffer>) => Promise<boolean>;

let database: DynamoDbLocal;
let proxy: Server;
let client: DynamoDBClient;
let newClient: (maxAttempts: number) => DynamoDBClient;
let mishaps: Mishap[] = [];
let operations: string[] = [];
let malformed: MalformedDataError[] = [];
let table: JobsTable;

beforeAll(async () => {
  database = await startDynamoDbLocal();
  proxy = createServer((request, response) => void relay(request, response));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  newClient = (maxAttempts) =>
    new DynamoDBClient({
      endpoint: `http://127.0.0.1:${address.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts,
    });
  client = newClient(3);
  table = new JobsTable({ client, ...database.jobs, onMalformed: (error) => malformed.push(error) });
});
afterAll(async () => {
  client.destroy();
  proxy.closeAllConnections();
  proxy.close();
  await database.close();
});
beforeEach(() => {
  mishaps = [];
  operations = [];
  malformed = [];
});

async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
  operations.push(operation);
  let status = 0;
  const pass = async () => {
    const onward = forward(`${database.endpoint}${request.url}`, {
      method: 'POST',
      headers: request.headers,
    });
    onward.end(body);
    const [answer]: [IncomingMessage] = (await once(onward, 'response')) as [IncomingMessage]; // node:http says so
    status = answer.statusCode ?? 0;
    return buffer(answer);
  };
  const mishap = mishaps.shift();
  if (mishap !== undefined && (await mishap(operation, response, pass))) return;
  const answer = await pass();
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(answer);
}

/** The request is carried out, and its answer lost. */
const loseAnswer: Mishap = async (_operation, response, pass) => {
  await pass();
  response.socket?.resetAndDestroy();
  return true;
};
const answerWith =
  (status: number, type: string): Mishap =>
  async (_operation, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'no' }));
    return true;
  };

async function queued(): Promise<JobRecord> {
  const { job } = await table.create(sampleNewJob());
  return table.change(job.id, { at: secondsLater(1), to: 'queued' });
}

describe('a write whose answer was lost after the commit', () => {
  it('makes a job once, and knows its own', async () => {
    mishaps = [loseAnswer];
    const newJob = sampleNewJob();
    const record = await table.create(newJob);
    expect(operations).toEqual(['PutItem', 'PutItem']);
    expect(await table.read(newJob.id)).toEqual(record);
    expect(record.job.seq).toBe(1);
  });

  it('enters a status once', async () => {
    const { job } = await queued();
    mishaps = [loseAnswer, loseAnswer];
    operations = [];
    const execution = { id: 'execution-1', aliveUntil: secondsLater(60) };
    const claimed = await table.change(job.id, { at: secondsLater(2), to: 'running', set: { execution } });
    expect(operations).toEqual(['UpdateItem', 'UpdateItem', 'UpdateItem']);
    expect(claimed).toMatchObject({ execution, job: { seq: 3, status: 'running' } });
    expect(claimed.job.history.map(({ status }) => status)).toEqual(['awaiting-upload', 'queued', 'running']);
    expect(await table.read(job.id)).toEqual(claimed);
  });

  it('counts a report once', async () => {
    const { job } = await queued();
    mishaps = [loseAnswer];
    const reported = await table.change(job.id, {
      at: secondsLater(2),
      within: ['queued'],
      set: { message: 'm' },
    });
    expect(reported.job).toMatchObject({ seq: 3, message: 'm' });
    expect(await table.read(job.id)).toEqual(reported);
  });

  it('is told as unavailable when no answer ever comes, and a repeated claim then holds', async () => {
    const { job } = await queued();
    mishaps = [loseAnswer, loseAnswer, loseAnswer];
    const set = { execution: { id: 'execution-1', aliveUntil: secondsLater(60) } };
    const claim = () => table.change(job.id, { at: secondsLater(2), to: 'running', set });
    await expect(claim()).rejects.toMatchObject({ name: 'UnavailableError', service: 'DynamoDB' });
    expect((await claim()).job).toMatchObject({ seq: 3, status: 'running' });
  });
});

describe('what DynamoDB answers', () => {
  it.each([
    [500, 'InternalServerError', 'UnavailableError'],
    [503, 'ServiceUnavailable', 'UnavailableError'],
    [400, 'ProvisionedThroughputExceededException', 'UnavailableError'],
    [400, 'ThrottlingException', 'UnavailableError'],
    [400, 'RequestLimitExceeded', 'UnavailableError'],
    [400, 'AccessDeniedException', 'RefusedError'],
    [400, 'ValidationException', 'RefusedError'],
    [400, 'ResourceNotFoundException', 'RefusedError'],
  ])('%i %s is %s everywhere', async (status, type, name) => {
    const single = newClient(1);
    const jobs = new JobsTable({ client: single, ...database.jobs });
    const subscriptions = new SubscriptionsTable({ client: single, ...database.subscriptions });
    const id = sampleNewJob().id;
    const calls: (() => Promise<unknown>)[] = [
      () => jobs.create(sampleNewJob()),
      () => jobs.read(id),
      () => jobs.readMany([id]),
      () => jobs.change(id, { at: secondsLater(1), to: 'queued' }),
      () => jobs.list('ada', { limit: 1 }),
      () =>
        subscriptions.add({
          topic: 'owner:ada',
          connection: 'c',
          since: MADE_AT,
          expiresAt: secondsLater(1),
        }),
      () => subscriptions.remove('owner:ada', 'c'),
      () => subscriptions.removeConnection('c'),
      () => subscriptions.count('c'),
      () => subscriptions.confirm({ connection: 'c', heads: {}, at: MADE_AT, expiresAt: secondsLater(1) }),
      () => subscriptions.confirmedHeads(id, ['c']),
      () => subscriptions.watchers('owner:ada', { range: {}, limit: 1, now: MADE_AT }),
      () => subscriptions.lastWatcher('owner:ada', {}),
      async () => {
        for await (const page of subscriptions.subscribers('owner:ada', MADE_AT)) expect(page).toEqual([]);
      },
    ];
    for (const call of calls) {
      mishaps = [answerWith(status, type)];
      await expect(call(), String(call)).rejects.toMatchObject({ name, cause: expect.anything() });
    }
    single.destroy();
  });

  it('that keys were left unprocessed is asked again, for those alone', async () => {
    const records = await Promise.all([queued(), queued(), queued()]);
    const [first, ...rest] = records.map((record) => record.job.id);
    operations = [];
    mishaps = [
      async (_operation, response, pass) => {
        const answer = JSON.parse((await pass()).toString());
        const items: { job: { S: string } }[] = answer.Responses.jobs;
        answer.Responses.jobs = items.filter((item) => item.job.S === first);
        answer.UnprocessedKeys = {
          jobs: { Keys: rest.map((job) => toAttributes({ job })), ConsistentRead: true },
        };
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
        return true;
      },
    ];
    const read = await table.readMany(records.map((record) => record.job.id));
    expect(read.map((record) => record.job.id).toSorted()).toEqual(
      records.map((record) => record.job.id).toSorted(),
    );
    expect(operations).toEqual(['BatchGetItem', 'BatchGetItem']);
  });

  it('that a table does not exist is refused', async () => {
    const jobs = new JobsTable({ client, tableName: 'no-such-table' });
    await expect(jobs.read(sampleNewJob().id)).rejects.toMatchObject({ name: 'RefusedError' });
  });
});

describe('an item that we did not write', () => {
  async function spoil(owner: string): Promise<string> {
    const { id } = sampleNewJob();
    const Item = toAttributes({ job: id, owner, createdAt: secondsLater(5), status: 'asleep' });
    await database.client.send(new PutItemCommand({ TableName: database.jobs.tableName, Item }));
    return id;
  }

  it('is said to be malformed, by the names of its attributes', async () => {
    const id = await spoil('ada');
    const read = table.read(id);
    await expect(read).rejects.toMatchObject({ name: 'MalformedDataError' });
    await expect(read).rejects.toThrow(/status/);
    await expect(read).rejects.not.toThrow(/asleep/);
  });

  it('spoils neither a list nor a reading of many, and is told of', async () => {
    const owner = sampleNewJob().id;
    const id = await spoil(owner);
    const { job } = await table.create(sampleNewJob({ owner }));
    expect((await table.list(owner, { limit: 10 })).records.map((record) => record.job.id)).toEqual([job.id]);
    expect((await table.readMany([id, job.id])).map((record) => record.job.id)).toEqual([job.id]);
    expect(malformed).toHaveLength(2);
  });
});
