import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { TimeSchema } from '../../protocol/job.ts';
import { MalformedDataError, UnavailableError } from '../errors.ts';
import type { Subscription, Subscriptions, SubscriptionTopic, Watcher } from '../ports.ts';
import { chunksOf, repeatUntilDone } from './back-off.ts';
import { askDynamoDb } from './dynamodb-error.ts';
import { type Item, toAttributes, toSeconds } from './job-item.ts';

/** The most requests of one BatchWriteItem (DynamoDB API reference; aws-facts 6). */
const MAXIMUM_BATCH_WRITE = 25;

const WatcherSchema: v.GenericSchema<unknown, Watcher> = v.object({
  connection: v.pipe(v.string(), v.minLength(1)),
  connectingUntil: v.exactOptional(TimeSchema),
});
const KeySchema = v.object({ topic: v.string(), connection: v.string() });

/** What the table and its index by connection are called. */
export interface SubscriptionsTableSettings {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly connectionIndexName: string;
}

/** `Subscriptions` in a DynamoDB table: key `topic` and `connection`, TTL attribute `expiresAt` in seconds. */
export class SubscriptionsTable implements Subscriptions {
  readonly #settings: SubscriptionsTableSettings;

  constructor(settings: SubscriptionsTableSettings) {
    this.#settings = settings;
  }

  async add(subscription: Subscription): Promise<void> {
    const { client, tableName } = this.#settings;
    const Item = toAttributes({ ...subscription, expiresAt: toSeconds(subscription.expiresAt) });
    await askDynamoDb(() => client.send(new PutItemCommand({ TableName: tableName, Item })));
  }

  async remove(topic: SubscriptionTopic, connection: string): Promise<void> {
    const { client, tableName } = this.#settings;
    const Key = toAttributes({ topic, connection });
    await askDynamoDb(() => client.send(new DeleteItemCommand({ TableName: tableName, Key })));
  }

  async removeConnection(connection: string): Promise<number> {
    // The index may not show a row yet that was added a moment ago; such a row ends by 410 or by TTL.
    let removed = 0;
    for await (const keys of this.#topicsOf(connection)) {
      for (const chunk of chunksOf(keys, MAXIMUM_BATCH_WRITE)) {
        await this.#deleteAll(chunk);
        removed += chunk.length;
      }
    }
    return removed;
  }

  async *watchers(topic: SubscriptionTopic, now: string): AsyncIterable<readonly Watcher[]> {
    const pages = this.#query({
      TableName: this.#settings.tableName,
      ConsistentRead: true, // a change committed after `subscribe` must find the row (design.md, "The flow")
      KeyConditionExpression: '#topic = :topic',
      FilterExpression: '#expiresAt > :now', // TTL deletes days late (aws-facts 3.1)
      ProjectionExpression: '#connection, #connectingUntil',
      ExpressionAttributeNames: {
        '#topic': 'topic',
        '#expiresAt': 'expiresAt',
        '#connection': 'connection',
        '#connectingUntil': 'connectingUntil',
      },
      ExpressionAttributeValues: toAttributes({ ':topic': topic, ':now': Date.parse(now) / 1000 }),
    });
    for await (const { items } of pages) {
      if (items.length > 0) yield items.map((item) => read(WatcherSchema, item));
    }
  }

  async count(connection: string): Promise<number> {
    let count = 0;
    for await (const page of this.#query({ ...this.#byConnection(connection), Select: 'COUNT' })) {
      count += page.count;
    }
    return count;
  }

  async *#topicsOf(connection: string): AsyncIterable<readonly Item[]> {
    for await (const { items } of this.#query({
      ...this.#byConnection(connection),
      ProjectionExpression: '#topic, #connection',
      ExpressionAttributeNames: { '#topic': 'topic', '#connection': 'connection' },
    })) {
      yield items.map((item) => toAttributes(read(KeySchema, item)));
    }
  }

  #byConnection(connection: string): QueryCommandInput {
    return {
      TableName: this.#settings.tableName,
      IndexName: this.#settings.connectionIndexName,
      KeyConditionExpression: '#connection = :connection',
      ExpressionAttributeNames: { '#connection': 'connection' },
      ExpressionAttributeValues: toAttributes({ ':connection': connection }),
    };
  }

  async *#query(
    input: QueryCommandInput,
  ): AsyncIterable<{ readonly items: readonly Item[]; readonly count: number }> {
    let start: Item | undefined;
    do {
      const ExclusiveStartKey = start;
      const answer = await askDynamoDb(() =>
        this.#settings.client.send(new QueryCommand({ ...input, ExclusiveStartKey })),
      );
      yield { items: answer.Items ?? [], count: answer.Count ?? 0 };
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
  }

  async #deleteAll(keys: readonly Item[]): Promise<void> {
    const { client, tableName } = this.#settings;
    const left = await repeatUntilDone(keys, async (rest) => {
      const answer = await askDynamoDb(() =>
        client.send(
          new BatchWriteItemCommand({
            RequestItems: { [tableName]: rest.map((Key) => ({ DeleteRequest: { Key } })) },
          }),
        ),
      );
      const unprocessed = answer.UnprocessedItems?.[tableName] ?? [];
      return unprocessed.flatMap(({ DeleteRequest }) =>
        DeleteRequest?.Key === undefined ? [] : [DeleteRequest.Key],
      );
    });
    if (left.length > 0) throw new UnavailableError('DynamoDB');
  }
}

function read<const Schema extends v.GenericSchema>(schema: Schema, item: Item): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, unmarshall(item));
  if (!parsed.success) throw new MalformedDataError("A subscription's item");
  return parsed.output;
}
