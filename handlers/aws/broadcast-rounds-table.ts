import {
  type DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import type { Audience, BroadcastRounds, RoundBeginning, WantedRound } from '../broadcast-rounds.ts';
import { MalformedDataError } from '../errors.ts';
import { isConditionRefusal, translateDynamoDbError } from './dynamodb-error.ts';
import { type Item, toAttributes } from './job-item.ts';

/**
 * The rounds are in the subscriptions table, beside the rows that they are about: key `broadcast:<topic>` and the
 * job. No topic of a subscription begins with `broadcast:`, so no publisher ever finds such an item among watchers.
 */
const PREFIX = 'broadcast:';

/** An item outlives every message of its round: those are kept for two hours (infrastructure/publishing.ts). Seconds. */
const KEPT_SECONDS = 3 * 3600;

/*
 * The clauses of the conditions, and what races with what:
 *
 *   publish A   |--begin: round 7--|          |--send range--|
 *   publish B                |--begin: refused--|--send next-round 7--|--follow 7--|
 *   deliver                                           |--take 7--|            |--begin: round 8--|
 *     two that begin: IS_OVER lets one in. A that died before it sent: BEGUN_BY_ME lets its retry begin again, until
 *     the round is taken. Then A's retries, for which a batch has as many reasons as it has jobs, begin nothing more,
 *     nor do B's once its follow is noted: one state is one round, however often its batch comes.
 *     B's follow after round 8 has begun: IS_ROUND refuses it, or nobody would follow round 8.
 */
const NONE_YET = 'attribute_not_exists(#round)';
const IS_OVER = '#nextAt <= :now';
const BEGUN_BY_ME = '#begunBy = :by';
const FOLLOWED_BY_ME = '#followedBy = :by';
const IS_ROUND = '#round = :round';
const NOT_TAKEN = 'attribute_not_exists(#takenBy)';
const TAKEN_BY_ME = '#takenBy = :by';

const CountSchema = v.pipe(v.number(), v.minValue(0));
const RoundSchema = v.object({
  round: CountSchema,
  nextAt: CountSchema,
  takenBy: v.exactOptional(v.string()),
  begunBy: v.exactOptional(v.string()),
  followed: v.exactOptional(v.boolean()),
  followedBy: v.exactOptional(v.string()),
});

/** Where the items are: the subscriptions table. */
export interface BroadcastRoundsTableSettings {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

/** `BroadcastRounds` in the subscriptions table: each method is one conditional write. */
export class BroadcastRoundsTable implements BroadcastRounds {
  readonly #settings: BroadcastRoundsTableSettings;

  constructor(settings: BroadcastRoundsTableSettings) {
    this.#settings = settings;
  }

  async begin({ by, now, until, behind, ...audience }: WantedRound): Promise<RoundBeginning> {
    const isNext = behind === undefined ? IS_OVER : `${IS_OVER} AND ${IS_ROUND}`;
    const isUnsent = `${BEGUN_BY_ME} AND ${NOT_TAKEN}`;
    const isNew = `NOT ${BEGUN_BY_ME} AND NOT ${FOLLOWED_BY_ME} AND ${isNext}`;
    const update = {
      Key: keyOf(audience),
      UpdateExpression:
        'SET #round = if_not_exists(#round, :zero) + :one, #nextAt = :until, #begunBy = :by, #expiresAt = :expiresAt REMOVE #takenBy, #followed',
      ConditionExpression: `${NONE_YET} OR (${isUnsent}) OR (${isNew})`,
      ExpressionAttributeNames: namesOf(
        'round',
        'nextAt',
        'begunBy',
        'takenBy',
        'followed',
        'followedBy',
        'expiresAt',
      ),
      ExpressionAttributeValues: toAttributes({
        ':zero': 0,
        ':one': 1,
        ':until': until,
        ':by': by,
        ':now': now,
        ':round': behind,
        ':expiresAt': expiryOf(until),
      }),
    };
    const { written, refused } = await this.#update(update);
    if (written !== undefined) return { begun: true, round: read(written).round };
    const { round, nextAt, takenBy, begunBy, followed = false, followedBy } = read(refused);
    const assured = begunBy === by || followedBy === by; // begun by me and not taken would have begun again
    return { begun: false, round, nextAt, taken: takenBy !== undefined, followed, assured };
  }

  async follow(audience: Audience, round: number, by: string): Promise<void> {
    await this.#update({
      Key: keyOf(audience),
      UpdateExpression: 'SET #followed = :followed, #followedBy = :by',
      ConditionExpression: IS_ROUND,
      ExpressionAttributeNames: namesOf('round', 'followed', 'followedBy'),
      ExpressionAttributeValues: toAttributes({ ':followed': true, ':by': by, ':round': round }),
    });
  }

  async take(audience: Audience, by: string, nextAt: number): Promise<number | undefined> {
    const { written } = await this.#update({
      Key: keyOf(audience),
      UpdateExpression:
        'SET #round = if_not_exists(#round, :zero), #takenBy = :by, #nextAt = :nextAt, #expiresAt = :expiresAt',
      ConditionExpression: `${NOT_TAKEN} OR ${TAKEN_BY_ME}`,
      ExpressionAttributeNames: namesOf('round', 'takenBy', 'nextAt', 'expiresAt'),
      ExpressionAttributeValues: toAttributes({
        ':zero': 0,
        ':by': by,
        ':nextAt': nextAt,
        ':expiresAt': expiryOf(nextAt),
      }),
    });
    return written === undefined ? undefined : read(written).round;
  }

  async lengthen(audience: Audience, round: number, milliseconds: number): Promise<boolean> {
    const { written } = await this.#update({
      Key: keyOf(audience),
      UpdateExpression: 'SET #nextAt = #nextAt + :milliseconds',
      ConditionExpression: IS_ROUND,
      ExpressionAttributeNames: namesOf('round', 'nextAt'),
      ExpressionAttributeValues: toAttributes({ ':milliseconds': milliseconds, ':round': round }),
    });
    return written !== undefined;
  }

  /** The item after the write, or the one that refused it. */
  async #update(
    update: Omit<UpdateItemCommandInput, 'TableName'>,
  ): Promise<{ readonly written?: Item; readonly refused?: Item }> {
    const { client, tableName } = this.#settings;
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          ...update,
          TableName: tableName,
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { written: Attributes ?? {} };
    } catch (error) {
      if (!isConditionRefusal(error)) throw translateDynamoDbError(error);
      return { refused: error.Item ?? {} };
    }
  }
}

function namesOf(...attributes: readonly string[]): Record<string, string> {
  return Object.fromEntries(attributes.map((attribute) => [`#${attribute}`, attribute]));
}

function keyOf({ topic, job }: Audience): Item {
  return toAttributes({ topic: `${PREFIX}${topic}`, connection: job });
}

function expiryOf(nextAt: number): number {
  return Math.ceil(nextAt / 1000) + KEPT_SECONDS;
}

function read(item: Item | undefined): v.InferOutput<typeof RoundSchema> {
  const parsed = v.safeParse(RoundSchema, unmarshall(item ?? {}));
  if (!parsed.success) throw new MalformedDataError("A broadcast round's item");
  return parsed.output;
}
