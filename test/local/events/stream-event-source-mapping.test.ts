import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { InvalidPatternError } from '../../../local/events/invalid-pattern-error.ts';
import { StreamEventSourceMapping } from '../../../local/events/stream-event-source-mapping.ts';
import type { StreamEventSourceMappingSettings } from '../../../local/events/stream-event-source-mapping-settings.ts';
import type { StreamEventRecord } from '../../../local/events/stream-record.ts';
import { deploy } from '../functions/bundles.ts';
import { type RunningDynamoDb, startDynamoDb } from './dynamodb-local.ts';
import { ScriptedFunction } from './scripted-function.ts';

let dynamoDb: RunningDynamoDb;
beforeAll(async () => {
  dynamoDb = await startDynamoDb();
}, 60_000);
afterAll(() => dynamoDb.stop());

interface Table {
  readonly name: string;
  readonly streamArn: string;
  put(job: string, attributes?: Record<string, AttributeValue>): Promise<void>;
}

async function createTable(database = dynamoDb): Promise<Table> {
  const name = `jobs-${randomUUID()}`;
  const { TableDescription } = await database.tables.send(
    new CreateTableCommand({
      TableName: name,
      KeySchema: [{ AttributeName: 'job', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'job', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  const streamArn = TableDescription?.LatestStreamArn;
  if (streamArn === undefined) throw new Error('The table has no stream');
  return {
    name,
    streamArn,
    async put(job, attributes = {}) {
      await database.tables.send(
        new PutItemCommand({ TableName: name, Item: { job: { S: job }, ...attributes } }),
      );
    },
  };
}

async function startMapping(
  table: Table,
  target: StreamEventSourceMappingSettings['target'],
  settings: Partial<StreamEventSourceMappingSettings> = {},
): Promise<StreamEventSourceMapping> {
  const mapping = await StreamEventSourceMapping.start({
    client: dynamoDb.streams,
    streamArn: table.streamArn,
    target,
    startingPosition: 'TRIM_HORIZON',
    log: () => {},
    ...settings,
  });
  onTestFinished(() => mapping.close());
  return mapping;
}

function records(target: ScriptedFunction): StreamEventRecord[] {
  return target.events.flatMap((event) => (event as { Records: StreamEventRecord[] }).Records);
}

function jobs(target: ScriptedFunction): unknown[] {
  return records(target).map(({ dynamodb }) => dynamodb.Keys['job']?.['S']);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('records', () => {
  test('in the form of Lambda events', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    await table.put('1', {
      n: { N: '5' },
      b: { B: Buffer.from('hello') },
      deep: { L: [{ M: { bs: { BS: [Buffer.from('x')] }, no: { NULL: true } } }] },
    });
    await dynamoDb.tables.send(new DeleteItemCommand({ TableName: table.name, Key: { job: { S: '1' } } }));
    await startMapping(table, target, {
      eventSourceArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/jobs/stream/1',
    });
    await until(() => records(target).length === 2);
    const [insert, remove] = records(target);
    expect(insert).toEqual({
      eventID: expect.any(String),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/jobs/stream/1',
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: { job: { S: '1' } },
        NewImage: {
          job: { S: '1' },
          n: { N: '5' },
          b: { B: 'aGVsbG8=' },
          deep: { L: [{ M: { bs: { BS: ['eA=='] }, no: { NULL: true } } }] },
        },
        SequenceNumber: expect.stringMatching(/^\d+$/),
        SizeBytes: expect.any(Number),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
    expect(Math.abs((insert?.dynamodb.ApproximateCreationDateTime ?? 0) - Date.now() / 1000)).toBeLessThan(
      120,
    );
    expect(remove?.eventName).toBe('REMOVE');
    expect(remove?.dynamodb).not.toHaveProperty('NewImage');
  });

  test('a filter drops the others before the batch is made', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    for (const job of ['1', '2', '3', '4'])
      await table.put(job, { kind: { S: Number(job) % 2 ? 'odd' : 'even' } });
    await startMapping(table, target, {
      filterPatterns: ['{"dynamodb":{"NewImage":{"kind":{"S":["even"]}}}}'],
      batchSize: 2,
    });
    await until(() => records(target).length === 2);
    expect(target.events).toHaveLength(1);
    expect(jobs(target)).toEqual(['2', '4']);
  });

  test('a bad filter is refused', async () => {
    const table = await createTable();
    const mapping = startMapping(table, new ScriptedFunction(), { filterPatterns: ['{"a":"b"}'] });
    await expect(mapping).rejects.toThrow(InvalidPatternError);
  });

  test('LATEST begins with what is written after the start', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    await table.put('old');
    await startMapping(table, target, { startingPosition: 'LATEST' });
    await table.put('new');
    await until(() => target.events.length > 0);
    expect(jobs(target)).toEqual(['new']);
  });
});

describe('batches', () => {
  test('are no larger than BatchSize, in the order of the stream', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    const all = Array.from({ length: 25 }, (_, index) => String(index));
    for (const job of all) await table.put(job);
    await startMapping(table, target, { batchSize: 10 });
    await until(() => records(target).length === 25);
    expect(target.events.map((event) => (event as { Records: unknown[] }).Records.length)).toEqual([
      10, 10, 5,
    ]);
    expect(jobs(target)).toEqual(all);
  });

  test('wait for the window unless they are full', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    const mapping = await startMapping(table, target, { batchSize: 3, maximumBatchingWindowInSeconds: 300 });
    for (const job of ['1', '2', '3', '4']) await table.put(job);
    mapping.wake();
    await until(() => target.events.length > 0);
    expect(jobs(target)).toEqual(['1', '2', '3']);
  });

  test('with ParallelizationFactor items wait for themselves only, and keep their order', async () => {
    const table = await createTable();
    const blocked = Promise.withResolvers<void>();
    const seen: string[] = [];
    const target = new ScriptedFunction(async (event) => {
      const [record] = (event as { Records: StreamEventRecord[] }).Records;
      const job = String(record?.dynamodb.Keys['job']?.['S']);
      if (job === 'slow') await blocked.promise;
      seen.push(`${job} ${record?.dynamodb.NewImage?.['seq']?.['N']}`);
    });
    for (const seq of ['1', '2']) {
      for (const job of ['slow', 'a', 'b', 'c', 'd', 'e']) await table.put(job, { seq: { N: seq } });
    }
    const mapping = await startMapping(table, target, { batchSize: 1, parallelizationFactor: 10 });
    await until(() => seen.length > 0);
    blocked.resolve();
    await until(() => seen.length === 12);
    await mapping.close();
    expect(seen[0]).not.toMatch(/^slow/);
    for (const job of ['slow', 'a', 'b', 'c', 'd', 'e']) {
      expect(seen.filter((entry) => entry.startsWith(`${job} `))).toEqual([`${job} 1`, `${job} 2`]);
    }
  });
});

describe('failures', () => {
  test('what is given up goes to the destination, and what follows goes on', async () => {
    const table = await createTable();
    const sent: string[] = [];
    const target = new ScriptedFunction((event) => {
      const { Records } = event as { Records: StreamEventRecord[] };
      const poison = Records.find(({ dynamodb }) => dynamodb.Keys['job']?.['S'] === 'poison');
      return poison && { batchItemFailures: [{ itemIdentifier: poison.dynamodb.SequenceNumber }] };
    });
    for (const job of ['1', 'poison']) await table.put(job);
    await startMapping(table, target, {
      reportBatchItemFailures: true,
      maximumRetryAttempts: 1,
      sendToDestination: async (body) => {
        sent.push(body);
      },
    });
    await until(() => sent.length > 0);
    await table.put('2');
    await until(() => jobs(target).includes('2'));
    expect(jobs(target)).toEqual(['1', 'poison', 'poison', '2']);
    expect(JSON.parse(sent.join())).toMatchObject({
      requestContext: {
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
        functionArn: target.arn,
      },
      DDBStreamBatchInfo: { batchSize: 1, streamArn: table.streamArn },
    });
  });

  test('closing ends a retry without end', async () => {
    const table = await createTable();
    const target = new ScriptedFunction(() => {
      throw new Error('no');
    });
    await table.put('1');
    const mapping = await startMapping(table, target);
    await until(() => target.events.length > 1);
    await mapping.close();
    const calls = target.events.length;
    expect(calls).toBeGreaterThan(1);
  });
});

describe('latency and restart', () => {
  test('a wake after a write brings the record within milliseconds', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    const mapping = await startMapping(table, target);
    const delays: number[] = [];
    for (let count = 1; count <= 20; count += 1) {
      await table.put(String(count));
      const writtenAt = performance.now();
      mapping.wake();
      await until(() => records(target).length === count);
      delays.push(performance.now() - writtenAt);
    }
    const median = delays.toSorted((a, b) => a - b)[10];
    // The base rate alone would take 125 ms on average.
    expect(median).toBeLessThan(60);
  });

  test('a wake during a read is not lost', async () => {
    const table = await createTable();
    const target = new ScriptedFunction();
    const mapping = await startMapping(table, target);
    const all = Array.from({ length: 40 }, (_, index) => String(index));
    await Promise.all(all.map((job) => table.put(job).then(() => mapping.wake())));
    await until(() => records(target).length >= all.length);
    expect(new Set(jobs(target))).toEqual(new Set(all));
  });

  test('after a restart of everything it goes on behind its checkpoint', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'jobwire-streams-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const checkpointFile = path.join(directory, 'checkpoints', 'publish.json');
    const first = await startDynamoDb(directory);
    const table = await createTable(first);
    const before = new ScriptedFunction();
    const mapping = await startMapping(table, before, { client: first.streams, checkpointFile });
    await table.put('1');
    await until(() => before.events.length > 0);
    await mapping.close();
    await table.put('2');
    await first.stop();

    const second = await startDynamoDb(directory);
    onTestFinished(() => second.stop());
    const after = new ScriptedFunction();
    const again = await startMapping(table, after, {
      client: second.streams,
      checkpointFile,
      startingPosition: 'LATEST',
    });
    await until(() => after.events.length > 0);
    await again.close();
    expect(jobs(after)).toEqual(['2']);
    // Two starts of Java.
  }, 90_000);
});

test('a real function behind a real stream', async () => {
  const table = await createTable();
  const { deployed, reports } = deploy(
    'export const handler = async ({ Records }) => { console.log(Records.length); return { batchItemFailures: [] } }',
  );
  await table.put('1');
  await startMapping(table, deployed, { reportBatchItemFailures: true });
  await until(() => reports.length > 0);
  expect(reports).toMatchObject([{ outcome: 'returned', cold: true }]);
});
