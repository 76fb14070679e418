import {
  BatchWriteItemCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { toAttributes } from '../handlers/aws/job-item.ts';

/** A table as handlers see it: its key, and the index by connection where there is a second part of it. */
export function tableOf(TableName: string, hash: string, range?: string): CreateTableCommandInput {
  const names = range === undefined ? [hash] : [hash, range];
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: names.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? 'HASH' : 'RANGE',
    })),
    ...(range === undefined
      ? {}
      : {
          GlobalSecondaryIndexes: [
            {
              IndexName: 'by-connection',
              KeySchema: [{ AttributeName: range, KeyType: 'HASH' }],
              Projection: { ProjectionType: 'KEYS_ONLY' },
            },
          ],
        }),
  };
}

/** The most requests of one BatchWriteItem. */
const BATCH = 25;

/** Writes rows, so many at a time. */
export async function writeAll(
  client: DynamoDBClient,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const left = [...rows];
  const work = async () => {
    for (let batch = left.splice(0, BATCH); batch.length > 0; batch = left.splice(0, BATCH)) {
      const requests = batch.map((row) => ({ PutRequest: { Item: toAttributes(row) } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
    }
  };
  await Promise.all([work(), work(), work(), work()]);
}
