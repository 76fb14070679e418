import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BroadcastRoundsTable } from '../../handlers/aws/broadcast-rounds-table.ts';
import { toAttributes } from '../../handlers/aws/job-item.ts';
import { SubscriptionsTable } from '../../handlers/aws/subscriptions-table.ts';
import { MemoryBroadcastRounds } from '../../handlers/memory/memory-broadcast-rounds.ts';
import { MemorySubscriptions } from '../../handlers/memory/memory-subscriptions.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.ts';
import { describeBroadcastRounds } from './broadcast-rounds-suite.ts';
import { MADE_AT, secondsLater } from './sample-jobs.ts';
import { describeSubscriptions } from './subscriptions-suite.ts';

let database: DynamoDbLocal;
beforeAll(async () => {
  database = await startDynamoDbLocal();
});
afterAll(() => database.close());

const location = () => ({ client: database.client, ...database.subscriptions });

describeSubscriptions('memory', async () => new MemorySubscriptions({ pageSize: 100 }));
describeSubscriptions('DynamoDB Local', async () => new SubscriptionsTable(location()));
describeBroadcastRounds('memory', async () => new MemoryBroadcastRounds());
describeBroadcastRounds('DynamoDB Local', async () => new BroadcastRoundsTable(location()));

it('leaves out a row that is malformed, and says so', async () => {
  const { client, tableName } = location();
  const topic = 'owner:spoilt';
  const table = new SubscriptionsTable(location());
  await table.add({ topic, connection: 'sound', since: MADE_AT, expiresAt: secondsLater(60) });
  const spoilt = { topic, connection: 'ill', connectingUntil: 'soon', expiresAt: 4_000_000_000 };
  await client.send(new PutItemCommand({ TableName: tableName, Item: toAttributes(spoilt) }));
  const page = { range: {}, limit: 10, now: MADE_AT };
  expect(await table.watchers(topic, page)).toEqual({ watchers: [{ connection: 'sound' }], malformed: 1 });
});

it('keeps rounds, which are in the same table, apart from watchers', async () => {
  const audience = { topic: 'owner:ada', job: 'job_1' } as const;
  await new BroadcastRoundsTable(location()).begin({ ...audience, by: 'a', now: 1, until: 2 });
  const page = { range: {}, limit: 10, now: MADE_AT };
  expect(await new SubscriptionsTable(location()).watchers('owner:ada', page)).toEqual({ watchers: [] });
});
