import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceNotFoundException,
  type StreamViewType,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { StartError } from '../errors.ts';

/** A table, named like the properties of `AWS::DynamoDB::Table`. */
export interface TableSettings {
  readonly TableName: string;
  readonly KeySchema: readonly Key[];
  readonly AttributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: 'S' | 'N' | 'B';
  }[];
  readonly GlobalSecondaryIndexes?: readonly {
    readonly IndexName: string;
    readonly KeySchema: readonly Key[];
    readonly Projection: {
      readonly ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
      readonly NonKeyAttributes?: readonly string[];
    };
  }[];
  readonly StreamSpecification?: { readonly StreamViewType: StreamViewType };
  readonly TimeToLiveSpecification?: { readonly AttributeName: string; readonly Enabled: boolean };
}

/** One element of a key. */
export interface Key {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

/** What the runtime needs to know of a table that exists. */
export interface CreatedTable {
  readonly tableName: string;
  /** The ARN by which DynamoDB Local knows the stream; undefined without one. */
  readonly streamArn: string | undefined;
}

/** The data kept from an earlier run belong to a table of another shape. */
export class TableDiffersError extends StartError {
  override readonly name = 'TableDiffersError';
}

/**
 * Creates a table unless the data of an earlier run have it. DynamoDB Local deletes expired items itself, by
 * the attribute of `TimeToLiveSpecification`, up to ten seconds late (AWS: within
 * days). Version 3.3.1 does not do so in a table with an index whose key is not part of the table's key:
 * there, what has expired stays, as it may in AWS too.
 *
 * @throws TableDiffersError if it exists with another key, another index or another stream
 */
export async function ensureTable(client: DynamoDBClient, settings: TableSettings): Promise<CreatedTable> {
  const { TableName } = settings;
  const existing = await describe(client, TableName);
  if (existing !== undefined) refuseDifference(settings, existing);
  const table = existing ?? (await create(client, settings));
  await ensureTimeToLive(client, settings);
  return { tableName: TableName, streamArn: table.LatestStreamArn };
}

async function describe(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function create(client: DynamoDBClient, settings: TableSettings): Promise<TableDescription> {
  const indexes = settings.GlobalSecondaryIndexes ?? [];
  const { TableDescription: table = {} } = await client.send(
    new CreateTableCommand({
      TableName: settings.TableName,
      KeySchema: [...settings.KeySchema],
      AttributeDefinitions: [...settings.AttributeDefinitions],
      BillingMode: 'PAY_PER_REQUEST',
      ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes.map(toIndex) }),
      ...(settings.StreamSpecification === undefined
        ? {}
        : { StreamSpecification: { StreamEnabled: true, ...settings.StreamSpecification } }),
    }),
  );
  return table;
}

function toIndex(index: NonNullable<TableSettings['GlobalSecondaryIndexes']>[number]): GlobalSecondaryIndex {
  const { ProjectionType, NonKeyAttributes } = index.Projection;
  return {
    IndexName: index.IndexName,
    KeySchema: [...index.KeySchema],
    Projection: {
      ProjectionType,
      ...(NonKeyAttributes === undefined ? {} : { NonKeyAttributes: [...NonKeyAttributes] }),
    },
  };
}

async function ensureTimeToLive(client: DynamoDBClient, settings: TableSettings): Promise<void> {
  const wanted = settings.TimeToLiveSpecification;
  const { TimeToLiveDescription: is } = await client.send(
    new DescribeTimeToLiveCommand({ TableName: settings.TableName }),
  );
  const enabled = is?.TimeToLiveStatus === 'ENABLED' ? is.AttributeName : undefined;
  const wantedAttribute = wanted?.Enabled === true ? wanted.AttributeName : undefined;
  if (enabled === wantedAttribute) return;
  const TimeToLiveSpecification =
    wantedAttribute === undefined
      ? { AttributeName: enabled, Enabled: false }
      : { AttributeName: wantedAttribute, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName: settings.TableName, TimeToLiveSpecification }));
}

function refuseDifference(settings: TableSettings, existing: TableDescription): void {
  const stream = existing.StreamSpecification;
  const differences = [
    describeKey('key', settings.KeySchema, existing.KeySchema),
    describeKey(
      'indexes',
      indexesOf(settings.GlobalSecondaryIndexes),
      indexesOf(existing.GlobalSecondaryIndexes),
    ),
    settings.StreamSpecification?.StreamViewType ===
    (stream?.StreamEnabled ? stream.StreamViewType : undefined)
      ? undefined
      : 'stream',
  ].filter((difference) => difference !== undefined);
  if (differences.length === 0) return;
  throw new TableDiffersError(
    `The table ${settings.TableName} in the local state has another ${differences.join(' and another ')} than the template says. Run npm start -- --fresh to begin anew; the local data are lost then.`,
  );
}

function describeKey(
  what: string,
  wanted: readonly KeySchemaElement[] | readonly Key[],
  existing: readonly KeySchemaElement[] | undefined,
): string | undefined {
  return signature(wanted) === signature(existing ?? []) ? undefined : what;
}

/** The indexes as one list of keys, each attribute prefixed by its index. */
function indexesOf(
  indexes:
    | readonly {
        readonly IndexName?: string | undefined;
        readonly KeySchema?: readonly KeySchemaElement[] | undefined;
      }[]
    | undefined,
): readonly KeySchemaElement[] {
  return (indexes ?? []).flatMap(({ IndexName, KeySchema = [] }) =>
    KeySchema.map(({ AttributeName, KeyType }) => ({
      AttributeName: `${IndexName}/${AttributeName}`,
      KeyType,
    })),
  );
}

function signature(keys: readonly KeySchemaElement[]): string {
  return keys
    .map(({ AttributeName, KeyType }) => `${AttributeName}:${KeyType}`)
    .sort()
    .join();
}
