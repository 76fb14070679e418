import { ACCOUNT, REGION } from '../account.ts';
import { isRecord } from './json-service.ts';

/** One thing that a DynamoDB call asks leave for. */
export interface RequiredPermission {
  /** Such as `dynamodb:PutItem`. */
  readonly action: string;
  /** The ARN of a table, an index or a stream, or `*` for a call that is about none. */
  readonly resource: string;
}

/** What a DynamoDB call needs and does. */
export interface CallMeaning {
  readonly permissions: readonly RequiredPermission[];
  /** Tables that change if the call succeeds. */
  readonly writtenTables: readonly string[];
}

type Body = Readonly<Record<string, unknown>>;

const ITEM_WRITES: ReadonlySet<string> = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);
const ABOUT_NO_TABLE: ReadonlySet<string> = new Set([
  'ListTables',
  'ListStreams',
  'DescribeLimits',
  'DescribeEndpoints',
  'GetRecords',
]);

/**
 * What a call needs and does: the name of the action is the name of the operation, except that a transaction
 * is governed by the actions of its parts, and that PartiQL has actions of its own, which nothing here grants
 * (Service Authorization Reference, list_amazondynamodb).
 */
export function meaningOf(operation: string, body: Body): CallMeaning {
  switch (operation) {
    case 'BatchGetItem':
    case 'BatchWriteItem': {
      const tables = Object.keys(record(body['RequestItems'])).map(tableName);
      return {
        permissions: tables.map((table) => ({
          action: `dynamodb:${operation}`,
          resource: tableArn(table),
        })),
        writtenTables: operation === 'BatchWriteItem' ? tables : [],
      };
    }
    case 'TransactWriteItems':
    case 'TransactGetItems':
      return meaningOfTransaction(body);
    case 'GetShardIterator':
    case 'DescribeStream':
      return about(operation, streamArn(text(body['StreamArn'])));
  }
  if (ABOUT_NO_TABLE.has(operation) || operation.startsWith('Execute')) return about(operation, '*');
  const table = tableName(text(body['TableName']));
  const index = body['IndexName'];
  return {
    permissions: [
      {
        action: `dynamodb:${operation}`,
        resource: typeof index === 'string' ? `${tableArn(table)}/index/${index}` : tableArn(table),
      },
    ],
    writtenTables: ITEM_WRITES.has(operation) ? [table] : [],
  };
}

/** `{Put: …}`, `{Update: …}`, `{Delete: …}`, `{Get: …}` need the single action; `{ConditionCheck: …}` its own. */
function meaningOfTransaction(body: Body): CallMeaning {
  const items: readonly unknown[] = Array.isArray(body['TransactItems']) ? body['TransactItems'] : [];
  const permissions = new Map<string, RequiredPermission>();
  const written = new Set<string>();
  for (const item of items) {
    for (const [kind, part] of Object.entries(record(item))) {
      const table = tableName(text(record(part)['TableName']));
      const action = kind === 'ConditionCheck' ? 'dynamodb:ConditionCheckItem' : `dynamodb:${kind}Item`;
      permissions.set(`${action} ${table}`, { action, resource: tableArn(table) });
      if (kind === 'Put' || kind === 'Update' || kind === 'Delete') written.add(table);
    }
  }
  return { permissions: [...permissions.values()], writtenTables: [...written] };
}

function about(operation: string, resource: string): CallMeaning {
  return { permissions: [{ action: `dynamodb:${operation}`, resource }], writtenTables: [] };
}

/** Most operations take a table's ARN where they take its name. */
function tableName(nameOrArn: string): string {
  return /^arn:[^/]*:table\/([^/]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
}

function tableArn(name: string): string {
  return `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
}

/** DynamoDB Local says that its streams are in the Region "ddblocal"; policies are about ours. */
function streamArn(arn: string): string {
  return arn.replace(/^arn:aws:dynamodb:[^:]*:[^:]*:/, `arn:aws:dynamodb:${REGION}:${ACCOUNT}:`);
}

function record(value: unknown): Body {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
