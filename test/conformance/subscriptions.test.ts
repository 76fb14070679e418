import { afterAll, beforeAll } from 'vitest';
import { SubscriptionsTable } from '../../handlers/aws/subscriptions-table.ts';
import { MemorySubscriptions } from '../../handlers/memory/memory-subscriptions.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.ts';
import { describeSubscriptions } from './subscriptions-suite.ts';

let database: DynamoDbLocal;
beforeAll(async () => {
  database = await startDynamoDbLocal();
});
afterAll(() => database.close());

describeSubscriptions('memory', async () => new MemorySubscriptions({ pageSize: 100 }));
describeSubscriptions(
  'DynamoDB Local',
  async () => new SubscriptionsTable({ client: database.client, ...database.subscriptions }),
);
