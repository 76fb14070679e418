import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { startDynamoDbProcess } from '../../../local/services/dynamodb-process.ts';

/** DynamoDB Local for one test file. */
export interface RunningDynamoDb {
  readonly tables: DynamoDBClient;
  readonly streams: DynamoDBStreamsClient;
  stop(): Promise<void>;
}

/** Starts DynamoDB Local on a free port, in memory, or on disk in `directory`. */
export async function startDynamoDb(directory?: string): Promise<RunningDynamoDb> {
  const database = await startDynamoDbProcess({
    ...(directory === undefined ? {} : { directory }),
    onUnexpectedExit: (output) => console.error(`DynamoDB Local ended:\n${output}`),
  });
  const settings = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${database.port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const tables = new DynamoDBClient(settings);
  const streams = new DynamoDBStreamsClient(settings);
  return {
    tables,
    streams,
    async stop() {
      tables.destroy();
      streams.destroy();
      await database.close();
    },
  };
}
