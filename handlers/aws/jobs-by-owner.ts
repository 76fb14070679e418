import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { RefusedError } from '../errors.ts';
import { type PageCursor, readPageCursor, writePageCursor } from '../page-cursor.ts';
import { askDynamoDb } from './dynamodb-error.ts';
import { type Item, toAttributes } from './job-item.ts';

/** The page of `Jobs.list`, before its jobs are read. */
export interface JobIdPage {
  readonly ids: readonly string[];
  readonly cursor?: string;
}

/**
 * Reads a page of the index by owner and creation time, newest first. The index holds keys alone. It would cost
 * every report of progress a second write if it held whole jobs; and that to one partition, of which an owner's
 * jobs have but one. One item more than the page is asked
 * for, so that there is a cursor only where something follows; and again while a megabyte ends an answer
 * sooner (DDG:Query.Pagination).
 * @throws MalformedDataError for a cursor that is not of this owner; UnavailableError, RefusedError.
 */
export async function listJobs(
  settings: { readonly client: DynamoDBClient; readonly tableName: string; readonly ownerIndexName?: string },
  owner: string,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<JobIdPage> {
  const { client, tableName, ownerIndexName } = settings;
  if (ownerIndexName === undefined) throw new RefusedError('DynamoDB', 'no index by owner was configured');
  const items: Item[] = [];
  let start = page.cursor === undefined ? undefined : startKeyOf(readPageCursor(page.cursor, owner));
  do {
    const ExclusiveStartKey = start;
    const answer = await askDynamoDb(() =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: ownerIndexName,
          KeyConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: toAttributes({ ':owner': owner }),
          ScanIndexForward: false,
          Limit: page.limit + 1 - items.length,
          ExclusiveStartKey,
        }),
      ),
    );
    items.push(...(answer.Items ?? []));
    start = answer.LastEvaluatedKey;
  } while (start !== undefined && items.length <= page.limit);

  const shown = items.slice(0, page.limit);
  const last = shown.at(-1);
  const createdAt = last?.['createdAt']?.S;
  const job = last?.['job']?.S;
  const ids = shown.flatMap((item) => item['job']?.S ?? []);
  if (items.length <= page.limit || createdAt === undefined || job === undefined) return { ids };
  return { ids, cursor: writePageCursor({ owner, createdAt, job }) };
}

function startKeyOf({ owner, createdAt, job }: PageCursor): Item {
  return toAttributes({ owner, createdAt, job });
}
