import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchWriteItemCommand,
  DynamoDBClient as Client,
  DeleteItemCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../local/clock.ts';
import {
  type DynamoDbSettings,
  type RunningDynamoDb,
  startDynamoDb,
} from '../../../local/services/dynamodb.ts';
import { JavaMissingError } from '../../../local/services/dynamodb-process.ts';
import { TableDiffersError, type TableSettings } from '../../../local/services/dynamodb-tables.ts';
import { JOBS_SHAPE } from '../../table-shapes.ts';
import { callingAs, functionAllowed, functionWith, knowing, owner } from './caller.ts';

const START_LIMIT = 60_000;
const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/jobs';

const jobs: TableSettings = {
  TableName: 'jobs',
  ...JOBS_SHAPE,
  StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
};
const subscriptions: TableSettings = {
  TableName: 'subscriptions',
  KeySchema: [{ AttributeName: 'topic', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'topic', AttributeType: 'S' }],
};
const shortLived: TableSettings = {
  TableName: 'short-lived',
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
};

const writer = functionAllowed('writer', ['dynamodb:PutItem', 'dynamodb:UpdateItem'], [ARN]);
const reader = functionAllowed('reader', ['dynamodb:GetItem', 'dynamodb:Query'], [ARN]);
const indexReader = functionAllowed('index-reader', ['dynamodb:Query'], [`${ARN}/index/*`]);
const stranger = functionAllowed('stranger', ['dynamodb:*'], ['*']);
const forbidden = functionWith('forbidden', [
  { effect: 'Allow', actions: ['dynamodb:*'], resources: ['*'] },
  { effect: 'Deny', actions: ['dynamodb:DeleteItem'], resources: [ARN] },
]);
const principals = knowing(writer, reader, indexReader, forbidden);

let directory: string;
let dynamodb: RunningDynamoDb;
const written: string[] = [];

function settings(overrides: Partial<DynamoDbSettings> = {}): DynamoDbSettings {
  return {
    port: 0,
    directory,
    tables: [jobs, subscriptions, shortLived],
    principals,
    owner,
    clock: systemClock,
    onWrite: (table) => written.push(table),
    log: () => undefined,
    ...overrides,
  };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-dynamodb-'));
  dynamodb = await startDynamoDb(settings());
}, START_LIMIT);

afterAll(async () => {
  await dynamodb.close();
  await rm(directory, { recursive: true });
});

beforeEach(() => {
  written.length = 0;
});

async function as<Result>(
  principal: typeof owner,
  work: (client: DynamoDBClient) => Promise<Result>,
): Promise<Result> {
  const client = new Client(callingAs(principal, dynamodb.endpoint));
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

const Item = { job: { S: 'one' }, owner: { S: 'me' }, createdAt: { S: '2026' } };

describe('tables', () => {
  it('exist with their indexes, stream and TTL', async () => {
    expect(dynamodb.tables).toMatchObject([
      { tableName: 'jobs', streamArn: expect.stringMatching(/table\/jobs\/stream\//) },
      { tableName: 'subscriptions', streamArn: undefined },
      { tableName: 'short-lived' },
    ]);
    const { TimeToLiveDescription } = await as(owner, (client) =>
      client.send(new DescribeTimeToLiveCommand({ TableName: 'jobs' })),
    );
    expect(TimeToLiveDescription).toEqual({ AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' });
  });

  it(
    'keep their items over a restart, TTL deletes as the service does, and a table of another key is an error that says what to do',
    async () => {
      const expiresAt = { N: String(Math.floor(Date.now() / 1000) - 60) };
      const expired = { id: { S: 'expired' }, expiresAt };
      await as(owner, async (client) => {
        await client.send(new PutItemCommand({ TableName: 'jobs', Item }));
        await client.send(new PutItemCommand({ TableName: 'short-lived', Item: expired }));
      });
      await dynamodb.close();
      const changed: TableSettings = {
        ...subscriptions,
        KeySchema: [{ AttributeName: 'job', KeyType: 'HASH' }],
      };
      await expect(startDynamoDb(settings({ tables: [changed] }))).rejects.toThrow(TableDiffersError);
      await expect(
        startDynamoDb(settings({ tables: [{ ...jobs, GlobalSecondaryIndexes: [] }] })),
      ).rejects.toThrow(/jobs.*another indexes.*npm start -- --fresh/);
      dynamodb = await startDynamoDb(settings());
      const { Item: kept } = await as(reader, (client) =>
        client.send(new GetItemCommand({ TableName: 'jobs', Key: { job: { S: 'one' } } })),
      );
      expect(kept).toEqual(Item);
      // DynamoDB Local looks for what has expired every ten seconds, and as it starts.
      const removal = await vi.waitFor(
        async () => {
          const found = (await streamRecords('short-lived')).find(({ eventName }) => eventName === 'REMOVE');
          expect(found).toBeDefined();
          return found;
        },
        { timeout: 15_000, interval: 50 },
      );
      expect(removal).toMatchObject({
        userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' },
        dynamodb: { OldImage: expired },
      });
    },
    START_LIMIT,
  );
});

describe('permissions', () => {
  it('let a function do what its role grants', async () => {
    await as(writer, (client) => client.send(new PutItemCommand({ TableName: 'jobs', Item })));
    await as(writer, (client) => client.send(new PutItemCommand({ TableName: ARN, Item })));
    const { Count } = await as(indexReader, (client) =>
      client.send(
        new QueryCommand({
          TableName: 'jobs',
          IndexName: 'by-owner',
          KeyConditionExpression: '#owner = :me',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: { ':me': { S: 'me' } },
        }),
      ),
    );
    expect(Count).toBe(1);
  });

  it('refuse what it does not grant, in the words of DynamoDB, and nothing is written', async () => {
    const refused = as(reader, (client) =>
      client.send(new PutItemCommand({ TableName: 'jobs', Item: { job: { S: 'two' } } })),
    );
    await expect(refused).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::000000000000:assumed-role/reader is not authorized to perform: dynamodb:PutItem on resource: ${ARN} because no identity-based policy allows the dynamodb:PutItem action`,
      $metadata: { httpStatusCode: 400 },
    });
    const { Item: absent } = await as(owner, (client) =>
      client.send(new GetItemCommand({ TableName: 'jobs', Key: { job: { S: 'two' } } })),
    );
    expect(absent).toBeUndefined();
    expect(written).toEqual([]);
  });

  it('tell an index from its table', async () => {
    const query = { KeyConditionExpression: 'job = :j', ExpressionAttributeValues: { ':j': { S: 'one' } } };
    await expect(
      as(indexReader, (client) => client.send(new QueryCommand({ TableName: 'jobs', ...query }))),
    ).rejects.toThrow(/dynamodb:Query on resource: .*table\/jobs because/);
    await expect(
      as(reader, (client) =>
        client.send(new QueryCommand({ TableName: 'jobs', IndexName: 'by-owner', ...query })),
      ),
    ).rejects.toThrow(/table\/jobs\/index\/by-owner/);
  });

  it('hold for every table of a batch and every part of a transaction', async () => {
    const put = { PutRequest: { Item } };
    await expect(
      as(writer, (client) => client.send(new BatchWriteItemCommand({ RequestItems: { jobs: [put] } }))),
    ).rejects.toThrow(/dynamodb:BatchWriteItem on resource: .*table\/jobs /);
    await expect(
      as(writer, (client) =>
        client.send(
          new TransactWriteItemsCommand({
            TransactItems: [
              { Put: { TableName: 'jobs', Item } },
              { Put: { TableName: 'subscriptions', Item: { topic: { S: 't' } } } },
            ],
          }),
        ),
      ),
    ).rejects.toThrow(/dynamodb:PutItem on resource: .*table\/subscriptions /);
    await expect(
      as(writer, (client) =>
        client.send(
          new TransactWriteItemsCommand({
            TransactItems: [
              {
                ConditionCheck: {
                  TableName: 'jobs',
                  Key: { job: { S: 'one' } },
                  ConditionExpression: 'attribute_exists(job)',
                },
              },
            ],
          }),
        ),
      ),
    ).rejects.toThrow(/dynamodb:ConditionCheckItem/);
  });

  it('follow an explicit deny, and ask for "*" where a call is about no table', async () => {
    await expect(
      as(forbidden, (client) =>
        client.send(new DeleteItemCommand({ TableName: 'jobs', Key: { job: { S: 'one' } } })),
      ),
    ).rejects.toThrow(/with an explicit deny/);
    await expect(as(writer, (client) => client.send(new ListTablesCommand({})))).rejects.toThrow(
      /dynamodb:ListTables on resource: \*/,
    );
  });

  it('refuse keys that nobody has, wrong secrets, and requests without a signature', async () => {
    const list = (client: DynamoDBClient) => client.send(new ListTablesCommand({}));
    await expect(as(stranger, list)).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await expect(as({ ...owner, secretAccessKey: 'wrong' }, list)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    const unsigned = await fetch(dynamodb.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' },
      body: '{}',
    });
    expect(unsigned.status).toBe(400);
    expect(await unsigned.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });
});

describe('writes', () => {
  it('are told by table once they are committed, and only then', async () => {
    await as(owner, async (client) => {
      await client.send(new PutItemCommand({ TableName: 'jobs', Item }));
      expect(written).toEqual(['jobs']);
      await client.send(
        new TransactWriteItemsCommand({
          TransactItems: [
            { Put: { TableName: 'jobs', Item } },
            { Put: { TableName: 'subscriptions', Item: { topic: { S: 't' } } } },
          ],
        }),
      );
      expect(written).toEqual(['jobs', 'jobs', 'subscriptions']);
      await client.send(
        new BatchWriteItemCommand({
          RequestItems: { subscriptions: [{ DeleteRequest: { Key: { topic: { S: 't' } } } }] },
        }),
      );
      expect(written).toEqual(['jobs', 'jobs', 'subscriptions', 'subscriptions']);
      await expect(
        client.send(
          new UpdateItemCommand({
            TableName: 'jobs',
            Key: { job: { S: 'none' } },
            UpdateExpression: 'SET seq = seq + :one',
            ConditionExpression: 'attribute_exists(job)',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          }),
        ),
      ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
      await client.send(new GetItemCommand({ TableName: 'jobs', Key: { job: { S: 'one' } } }));
      expect(written).toHaveLength(4);
    });
  });

  it('are in the stream, through the same endpoint', async () => {
    await as(owner, async (client) => {
      await client.send(new PutItemCommand({ TableName: 'jobs', Item: { job: { S: 'in-stream' } } }));
      await client.send(new DeleteItemCommand({ TableName: 'jobs', Key: { job: { S: 'in-stream' } } }));
    });
    const records = (await streamRecords()).filter(
      ({ dynamodb: { Keys } = {} }) => Keys?.['job']?.S === 'in-stream',
    );
    expect(records).toMatchObject([
      { eventName: 'INSERT', awsRegion: 'us-east-1', dynamodb: { NewImage: { job: { S: 'in-stream' } } } },
      { eventName: 'REMOVE', dynamodb: { OldImage: { job: { S: 'in-stream' } } } },
    ]);
    expect(records[1]).not.toHaveProperty('userIdentity');
    const denied = new DynamoDBStreamsClient(callingAs(writer, dynamodb.endpoint));
    await expect(
      denied.send(new DescribeStreamCommand({ StreamArn: dynamodb.tables[0]?.streamArn })),
    ).rejects.toThrow(
      /dynamodb:DescribeStream on resource: arn:aws:dynamodb:us-east-1:000000000000:table\/jobs\/stream\//,
    );
    denied.destroy();
  });
});

async function streamRecords(tableName = 'jobs'): Promise<readonly _Record[]> {
  const streams = new DynamoDBStreamsClient(callingAs(owner, dynamodb.endpoint));
  const StreamArn = dynamodb.tables.find((table) => table.tableName === tableName)?.streamArn;
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const records: _Record[] = [];
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    const { Records = [] } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    records.push(...Records);
  }
  streams.destroy();
  return records;
}

describe('bad requests', () => {
  it('that are too large are refused, and the next one is answered', async () => {
    const large = await fetch(dynamodb.endpoint, { method: 'POST', body: Buffer.alloc(17 * 1024 * 1024) });
    expect(large.status).toBe(413);
    const { TableNames } = await as(owner, (client) => client.send(new ListTablesCommand({})));
    expect(TableNames).toEqual(['jobs', 'short-lived', 'subscriptions']);
  });
});

describe('a call that DynamoDB Local has not answered', () => {
  /** The service with a call under way, in front of a database that says nothing. */
  async function withCall() {
    const database = createServer();
    await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void database.close());
    // An address is text for pipes only.
    const { port } = database.address() as AddressInfo;
    const lines: string[] = [];
    const close = async () => undefined;
    const service = await startDynamoDb(
      settings({
        tables: [],
        database: Promise.resolve({ port, javaPid: 0, close }),
        log: (line) => lines.push(line),
      }),
    );
    const client = new DynamoDBStreamsClient(callingAs(owner, service.endpoint));
    onTestFinished(() => client.destroy());
    const arrived = new Promise<IncomingMessage>((resolve) => database.once('request', resolve));
    const leaving = new AbortController();
    const call = client.send(new GetRecordsCommand({ ShardIterator: 'any' }), {
      abortSignal: leaving.signal,
    });
    const failed = expect(call).rejects.toThrow();
    return { service, lines, failed, leave: () => leaving.abort(), arrived: await arrived };
  }

  it('is not spoken of when the service closes: nobody waits for it', async () => {
    for (const leaves of [true, false]) {
      const { service, lines, failed, leave } = await withCall();
      if (leaves) leave();
      await service.close();
      await failed;
      expect(lines).toEqual([]);
    }
  });

  it('is reported when the connection breaks, and may be tried again', async () => {
    const { service, lines, failed, arrived } = await withCall();
    arrived.destroy();
    await failed;
    expect(lines).toEqual(['DynamoDB: GetRecords was not answered: Error: socket hang up']);
    await service.close();
  });
});

describe('without Java', () => {
  it('the error says how to get it', async () => {
    const start = startDynamoDb(settings({ javaCommand: join(directory, 'no-java-here') }));
    await expect(start).rejects.toThrow(JavaMissingError);
    await expect(start).rejects.toThrow(/Install a Java 17 or later runtime \(https:\/\/adoptium\.net\)/);
  });
});
