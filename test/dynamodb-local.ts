import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDbProcess } from '../local/services/dynamodb-process.ts';
import { JOBS_SHAPE, SUBSCRIPTIONS_SHAPE } from './table-shapes.ts';

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

/**
 * Starts DynamoDB Local on a free port, waits until it answers, and makes the tables. One for a test file;
 * ends with the test's process, whatever ends that (local/services/java-supervisor.ts).
 */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const database = await startDynamoDbProcess({
    onUnexpectedExit: (output) => console.error(`DynamoDB Local ended:\n${output}`),
  });
  const endpoint = `http://127.0.0.1:${database.port}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(
    new CreateTableCommand({
      TableName: 'jobs',
      BillingMode: 'PAY_PER_REQUEST',
      ...JOBS_SHAPE,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  await client.send(
    new CreateTableCommand({
      TableName: 'subscriptions',
      BillingMode: 'PAY_PER_REQUEST',
      ...SUBSCRIPTIONS_SHAPE,
    }),
  );
  return {
    client,
    endpoint,
    jobs: { tableName: 'jobs', ownerIndexName: 'by-owner' },
    subscriptions: { tableName: 'subscriptions', connectionIndexName: 'by-connection' },
    close: async () => {
      client.destroy();
      await database.close();
    },
  };
}
