import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/** An event of a stream, as far as the samples read it. */
export interface SamplesEvent {
  /** The table of connections; the samples have it in their environment. */
  readonly table: string;
  readonly Records: readonly {
    readonly dynamodb: { readonly NewImage: Record<string, AttributeValue> };
  }[];
}

const dynamoDb = new DynamoDBClient({});

/**
 * What the public samples of this architecture do, restated by us: for each change a scan of all connections, and a
 * post to each by the SDK's client, all at once. Kinder than most of them in two points, because without them
 * there would be nothing to compare: the scan goes on behind its first megabyte, and a connection counts as gone
 * by the error's name, not by a field that the SDK has not had since version 2.
 */
export async function handler(event: SamplesEvent): Promise<{ readonly statusCode: number }> {
  const client = new ApiGatewayManagementApiClient({ endpoint: process.env['SOCKET_URL'] ?? '' });
  for (const record of event.Records) {
    const data = JSON.stringify({ type: 'job', job: unmarshall(record.dynamodb.NewImage) });
    const connections: string[] = [];
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await dynamoDb.send(new ScanCommand({ TableName: event.table, ExclusiveStartKey: start }));
      for (const { connection } of page.Items ?? []) connections.push(connection?.S ?? '');
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    await Promise.all(
      connections.map(async (connection) => {
        try {
          await client.send(new PostToConnectionCommand({ ConnectionId: connection, Data: data }));
        } catch (error) {
          if (!(error instanceof Error && error.name === 'GoneException')) throw error;
          const Key = { connection: { S: connection } };
          await dynamoDb.send(new DeleteItemCommand({ TableName: event.table, Key }));
        }
      }),
    );
  }
  return { statusCode: 200 };
}
