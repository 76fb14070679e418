import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { LocalRuntime } from './local-runtime.ts';

/** How many records of the jobs table's stream are of one job. */
export async function countStreamRecords(
  { administration, jobsTable }: LocalRuntime,
  job: string,
): Promise<number> {
  const client = new DynamoDBStreamsClient({ endpoint: administration.dynamoDb, ...administration });
  try {
    let count = 0;
    const { Streams = [] } = await client.send(new ListStreamsCommand({ TableName: jobsTable }));
    for (const { StreamArn } of Streams) {
      const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
      for (const { ShardId } of StreamDescription?.Shards ?? []) {
        count += await countShard(client, { StreamArn, ShardId }, job);
      }
    }
    return count;
  } finally {
    client.destroy();
  }
}

async function countShard(
  client: DynamoDBStreamsClient,
  shard: { readonly StreamArn: string | undefined; readonly ShardId: string | undefined },
  job: string,
): Promise<number> {
  const position = await client.send(
    new GetShardIteratorCommand({ ...shard, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  let count = 0;
  let { ShardIterator } = position;
  while (ShardIterator !== undefined) {
    const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator }));
    if (Records.length === 0) break; // an open shard goes on for ever
    count += Records.filter(({ dynamodb }) => dynamodb?.Keys?.['job']?.S === job).length;
    ShardIterator = NextShardIterator;
  }
  return count;
}
