import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/** What a table and its index are made of. */
type TableShape = Pick<
  CreateTableCommandInput,
  'KeySchema' | 'AttributeDefinitions' | 'GlobalSecondaryIndexes'
>;

/** The jobs table, as the template has it (test/infrastructure/storage.test.ts). */
export const JOBS_SHAPE = {
  KeySchema: [{ AttributeName: 'job', KeyType: 'HASH' }],
  AttributeDefinitions: [
    { AttributeName: 'job', AttributeType: 'S' },
    { AttributeName: 'owner', AttributeType: 'S' },
    { AttributeName: 'createdAt', AttributeType: 'S' },
  ],
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
} satisfies TableShape;

/** The subscriptions table, likewise. */
export const SUBSCRIPTIONS_SHAPE = {
  KeySchema: [
    { AttributeName: 'topic', KeyType: 'HASH' },
    { AttributeName: 'connection', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [
    { AttributeName: 'topic', AttributeType: 'S' },
    { AttributeName: 'connection', AttributeType: 'S' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-connection',
      KeySchema: [{ AttributeName: 'connection', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
} satisfies TableShape;
