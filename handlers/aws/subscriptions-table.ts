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
import type {
  AudienceRange,
  Confirmation,
  ConfirmedHead,
  Subscriber,
  Subscription,
  Subscriptions,
  SubscriptionTopic,
  WantedPage,
  Watcher,
  WatcherPage,
} from '../ports.ts';
import { chunksOf, repeatUntilDone } from './back-off.ts';
import { isHeadsKey, NO_HEADS, readHeads, writeHeads } from './confirmed-heads.ts';
import { askDynamoDb } from './dynamodb-error.ts';
import { type Item, toAttributes, toSeconds } from './job-item.ts';

/** The most requests of one BatchWriteItem (DynamoDB API reference; aws-facts 6). */
const MAXIMUM_BATCH_WRITE = 25;

const WatcherSchema: v.GenericSchema<unknown, Watcher> = v.object({
  connection: v.pipe(v.string(), v.minLength(1)),
  connectingUntil: v.exactOptional(TimeSchema),
});
const SubscriberSchema: v.GenericSchema<unknown, Subscriber> = v.object({
  connection: v.pipe(v.string(), v.minLength(1)),
  since: TimeSchema,
});
const KeySchema = v.object({ topic: v.string(), connection: v.string() });

type Query = Omit<QueryCommandInput, 'TableName' | 'ExclusiveStartKey'>;

interface Page {
  readonly items: readonly Item[];
  readonly count: number;
  /** The key that the page ends with, where there may be more. */
  readonly last: Item | undefined;
}

/** What the table and its index by connection are called. */
export interface SubscriptionsTableSettings {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** The index by connection; only `count` and `removeConnection` need it. */
  readonly connectionIndexName?: string;
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
    for await (const keys of this.#keysOf(connection)) {
      for (const chunk of chunksOf(keys, MAXIMUM_BATCH_WRITE)) {
        await this.#deleteAll(chunk.map(toAttributes));
        removed += chunk.filter(({ topic }) => !isHeadsKey(topic)).length;
      }
    }
    return removed;
  }

  async watchers(topic: SubscriptionTopic, { range, limit, now }: WantedPage): Promise<WatcherPage> {
    const rows = liveRows(topic, now, 'connectingUntil', range);
    // Consistent: a change committed after `subscribe` must find the row (design.md, "The flow").
    const { items, last } = await this.#page({ ...rows, ConsistentRead: true, Limit: limit });
    // One row that somebody spoilt must not keep a job from all of its watchers.
    const watchers = items.flatMap((item) => {
      const { success, output } = v.safeParse(WatcherSchema, unmarshall(item));
      return success ? [output] : [];
    });
    const malformed = items.length - watchers.length;
    return {
      watchers,
      ...(last === undefined ? {} : { next: read(KeySchema, last).connection }),
      ...(malformed === 0 ? {} : { malformed }),
    };
  }

  async lastWatcher(topic: SubscriptionTopic, range: AudienceRange): Promise<string | undefined> {
    const { condition, names, values } = keysOf(topic, range);
    const { items } = await this.#page({
      ConsistentRead: true,
      KeyConditionExpression: condition,
      ProjectionExpression: '#topic, #connection',
      ExpressionAttributeNames: { ...names, '#connection': 'connection' },
      ExpressionAttributeValues: toAttributes(values),
      ScanIndexForward: false,
      Limit: 1,
    });
    const [item] = items;
    return item === undefined ? undefined : read(KeySchema, item).connection;
  }

  async *subscribers(topic: SubscriptionTopic, now: string): AsyncIterable<readonly Subscriber[]> {
    for await (const { items } of this.#query(liveRows(topic, now, 'since', {}))) {
      if (items.length > 0) yield items.map((item) => read(SubscriberSchema, item));
    }
  }

  async has(topic: SubscriptionTopic, connection: string): Promise<boolean> {
    // A query for one row, and no GetItem: whoever counts may query.
    const pages = this.#query({
      ConsistentRead: true,
      Select: 'COUNT',
      KeyConditionExpression: '#topic = :topic AND #connection = :connection',
      ExpressionAttributeNames: { '#topic': 'topic', '#connection': 'connection' },
      ExpressionAttributeValues: toAttributes({ ':topic': topic, ':connection': connection }),
    });
    for await (const page of pages) if (page.count > 0) return true;
    return false;
  }

  async count(connection: string): Promise<number> {
    const { FilterExpression, names, values } = NO_HEADS;
    const { ExpressionAttributeNames, ExpressionAttributeValues, ...input } = this.#byConnection(connection);
    let count = 0;
    for await (const page of this.#query({
      ...input,
      Select: 'COUNT',
      FilterExpression,
      ExpressionAttributeNames: { ...ExpressionAttributeNames, ...names },
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ...toAttributes(values) },
    })) {
      count += page.count;
    }
    return count;
  }

  async confirm(confirmation: Confirmation): Promise<void> {
    await writeHeads(this.#settings, confirmation);
  }

  async confirmedHeads(
    job: string,
    connections: readonly string[],
  ): Promise<ReadonlyMap<string, ConfirmedHead>> {
    return await readHeads(this.#settings, job, connections);
  }

  async *#keysOf(connection: string): AsyncIterable<readonly v.InferOutput<typeof KeySchema>[]> {
    for await (const { items } of this.#query({
      ...this.#byConnection(connection),
      ProjectionExpression: '#topic, #connection',
      ExpressionAttributeNames: { '#topic': 'topic', '#connection': 'connection' },
    })) {
      yield items.map((item) => read(KeySchema, item));
    }
  }

  #byConnection(connection: string): Query {
    const { connectionIndexName } = this.#settings;
    if (connectionIndexName === undefined) throw new Error('The index by connection was not named');
    return {
      IndexName: connectionIndexName,
      KeyConditionExpression: '#connection = :connection',
      ExpressionAttributeNames: { '#connection': 'connection' },
      ExpressionAttributeValues: toAttributes({ ':connection': connection }),
    };
  }

  async *#query(query: Query): AsyncIterable<Page> {
    let start: Item | undefined;
    do {
      const page = await this.#page(query, start);
      yield page;
      start = page.last;
    } while (start !== undefined);
  }

  async #page(query: Query, ExclusiveStartKey?: Item): Promise<Page> {
    const { client, tableName } = this.#settings;
    const answer = await askDynamoDb(() =>
      client.send(new QueryCommand({ ...query, TableName: tableName, ExclusiveStartKey })),
    );
    return { items: answer.Items ?? [], count: answer.Count ?? 0, last: answer.LastEvaluatedKey };
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

/** The rows of a range that have not expired, with one attribute beside the connection. */
function liveRows(
  topic: SubscriptionTopic,
  now: string,
  attribute: 'connectingUntil' | 'since',
  range: AudienceRange,
): Query {
  const { condition, names, values } = keysOf(topic, range);
  return {
    KeyConditionExpression: condition,
    FilterExpression: '#expiresAt > :now', // TTL deletes days late (aws-facts 3.1)
    ProjectionExpression: '#connection, #attribute',
    ExpressionAttributeNames: {
      ...names,
      '#expiresAt': 'expiresAt',
      '#connection': 'connection',
      '#attribute': attribute,
    },
    ExpressionAttributeValues: toAttributes({ ...values, ':now': Date.parse(now) / 1000 }),
  };
}

/** The condition for the keys of a range. The sort key may be named once, and BETWEEN takes both of its bounds in. */
function keysOf(
  topic: SubscriptionTopic,
  { after, until }: AudienceRange,
): {
  readonly condition: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
} {
  const all = '#topic = :topic';
  const names = { '#topic': 'topic', '#connection': 'connection' };
  const values = { ':topic': topic };
  if (after !== undefined && until !== undefined) {
    const first = `${after}\u0000`; // the text that comes right behind `after`
    return {
      condition: `${all} AND #connection BETWEEN :first AND :until`,
      names,
      values: { ...values, ':first': first, ':until': until },
    };
  }
  if (after !== undefined)
    return { condition: `${all} AND #connection > :after`, names, values: { ...values, ':after': after } };
  if (until !== undefined)
    return { condition: `${all} AND #connection <= :until`, names, values: { ...values, ':until': until } };
  return { condition: all, names: { '#topic': 'topic' }, values };
}

function read<const Schema extends v.GenericSchema>(schema: Schema, item: Item): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, unmarshall(item));
  if (!parsed.success) throw new MalformedDataError("A subscription's item");
  return parsed.output;
}
