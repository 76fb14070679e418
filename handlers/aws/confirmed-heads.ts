import { BatchGetItemCommand, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { TimeSchema } from '../../protocol/job.ts';
import { MalformedDataError, UnavailableError } from '../errors.ts';
import type { Confirmation, ConfirmedHead } from '../ports.ts';
import { repeatUntilDone } from './back-off.ts';
import { askDynamoDb, isConditionRefusal, translateDynamoDbError } from './dynamodb-error.ts';
import { type Item, toAttributes, toSeconds } from './job-item.ts';

/**
 * What connections confirm, beside their subscriptions: one item a connection, with all heads of its last ping,
 * because a ping is then one write however many jobs it names, a watcher by any topic confirms, and the hundred
 * connections of an answer are one BatchGetItem (docs/decisions/0013-one-item-of-heads.md). No topic of a
 * subscription begins with `heads:`, so no publisher ever finds such an item; the index by connection does, which
 * removes it with the rest.
 */
const PREFIX = 'heads:';

/** Where the items are. */
export interface HeadsLocation {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

const HeadSchema = v.object({
  connection: v.string(),
  at: TimeSchema,
  heads: v.optional(v.record(v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
});

/** Whether this is the `topic` attribute of an item of heads, rather than of a subscription. */
export function isHeadsKey(topic: string): boolean {
  return topic.startsWith(PREFIX);
}

/** What a query counts subscriptions by: the items that are not of heads. */
export const NO_HEADS = {
  FilterExpression: 'NOT begins_with(#topic, :heads)',
  names: { '#topic': 'topic' },
  values: { ':heads': PREFIX },
} as const;

/** See `Subscriptions.confirm`. @throws UnavailableError, RefusedError. */
export async function writeHeads(
  { client, tableName }: HeadsLocation,
  { connection, heads, at, expiresAt }: Confirmation,
): Promise<void> {
  const NOTHING_KEPT = 'attribute_not_exists(#at)';
  const NEWS = '#at <= :at AND #heads <> :heads'; // a later ping may have been written by a quicker execution
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: keyOf(connection),
        UpdateExpression: 'SET #heads = :heads, #at = :at, #expiresAt = :expiresAt',
        ConditionExpression: `${NOTHING_KEPT} OR (${NEWS})`,
        ExpressionAttributeNames: { '#heads': 'heads', '#at': 'at', '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: toAttributes({
          ':heads': heads,
          ':at': at,
          ':expiresAt': toSeconds(expiresAt),
        }),
      }),
    );
  } catch (error) {
    if (!isConditionRefusal(error)) throw translateDynamoDbError(error);
  }
}

/** See `Subscriptions.confirmedHeads`. @throws UnavailableError, RefusedError, MalformedDataError. */
export async function readHeads(
  { client, tableName }: HeadsLocation,
  job: string,
  connections: readonly string[],
): Promise<ReadonlyMap<string, ConfirmedHead>> {
  const found: Item[] = [];
  const left = await repeatUntilDone([...new Set(connections)].map(keyOf), async (Keys) => {
    const answer = await askDynamoDb(() =>
      client.send(
        new BatchGetItemCommand({
          RequestItems: {
            [tableName]: {
              Keys: [...Keys],
              ProjectionExpression: '#connection, #at, #heads.#job',
              ExpressionAttributeNames: {
                '#connection': 'connection',
                '#at': 'at',
                '#heads': 'heads',
                '#job': job,
              },
            },
          },
        }),
      ),
    );
    found.push(...(answer.Responses?.[tableName] ?? []));
    return answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
  });
  if (left.length > 0) throw new UnavailableError('DynamoDB');
  return new Map(found.flatMap((item) => entryOf(item, job)));
}

function entryOf(item: Item, job: string): readonly (readonly [string, ConfirmedHead])[] {
  const parsed = v.safeParse(HeadSchema, unmarshall(item));
  if (!parsed.success) throw new MalformedDataError("A connection's item of heads");
  const { connection, at, heads } = parsed.output;
  const seq = heads?.[job];
  return seq === undefined ? [] : [[connection, { seq, at }]];
}

function keyOf(connection: string): Item {
  return toAttributes({ topic: `${PREFIX}${connection}`, connection });
}
