import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';

/** A shard of a stream. */
export interface StreamShard {
  readonly shardId: string;
  readonly parentShardId?: string;
  /** Takes no more records. */
  readonly closed: boolean;
}

/** All shards that the stream still keeps. Rejects with the SDK's error. */
export async function listShards(
  client: DynamoDBStreamsClient,
  streamArn: string,
  signal: AbortSignal,
): Promise<StreamShard[]> {
  const shards: Shard[] = [];
  let lastShardId: string | undefined;
  do {
    const command = new DescribeStreamCommand({
      StreamArn: streamArn,
      ...(lastShardId !== undefined && { ExclusiveStartShardId: lastShardId }),
    });
    const { StreamDescription } = await client.send(command, { abortSignal: signal });
    shards.push(...(StreamDescription?.Shards ?? []));
    lastShardId = StreamDescription?.LastEvaluatedShardId;
  } while (lastShardId !== undefined);
  return shards.flatMap(({ ShardId, ParentShardId, SequenceNumberRange }) =>
    ShardId === undefined
      ? []
      : {
          shardId: ShardId,
          ...(ParentShardId !== undefined && { parentShardId: ParentShardId }),
          closed: SequenceNumberRange?.EndingSequenceNumber !== undefined,
        },
  );
}

/**
 * The shards that may be read now: not yet `started`, and their parent is `ended` or gone from the stream.
 * A parent comes before its children, or the order of an item would break.
 */
export function readyShards(
  shards: readonly StreamShard[],
  started: ReadonlySet<string>,
  ended: ReadonlySet<string>,
): StreamShard[] {
  const known = new Set(shards.map(({ shardId }) => shardId));
  return shards.filter(
    ({ shardId, parentShardId }) =>
      !started.has(shardId) &&
      !ended.has(shardId) &&
      (parentShardId === undefined || !known.has(parentShardId) || ended.has(parentShardId)),
  );
}
