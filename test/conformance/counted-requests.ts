import { type ConsumedCapacity, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { FlowRequests } from '../../bench/cost/requests.ts';
import { isConditionRefusal } from '../../handlers/aws/dynamodb-error.ts';
import { MemoryConnections } from '../../handlers/memory/memory-connections.ts';
import { MemoryQueue } from '../../handlers/memory/memory-queue.ts';
import { MemoryResults } from '../../handlers/memory/memory-results.ts';
import { MemoryUploads } from '../../handlers/memory/memory-uploads.ts';
import { MemoryWorkspace } from '../../handlers/memory/memory-workspace.ts';
import type { Executions, JobRecord, Queue, Uploads } from '../../handlers/ports.ts';
import type { Work } from '../../handlers/queue-messages.ts';

/** Operations of DynamoDB whose units are reads. */
const READS = new Set(['GetItem', 'BatchGetItem', 'Query']);

/** The most messages of one SendMessageBatch (sqs-queue.ts). */
const MAXIMUM_BATCH = 10;

/** What is asked of AWS, by operation and what it is called on. */
export class CountedRequests {
  #requests = new Map<string, number>();
  #readUnits = 0;
  #writeUnits = 0;
  readonly #underWay = new Set<Promise<unknown>>();

  /** What was asked since the last call. */
  take(): FlowRequests {
    const taken = {
      requests: Object.fromEntries(this.#requests),
      readUnits: this.#readUnits,
      writeUnits: this.#writeUnits,
    };
    this.#requests = new Map();
    this.#readUnits = 0;
    this.#writeUnits = 0;
    return taken;
  }

  /** Waits until whatever DynamoDB is being asked has its answer, and is counted. */
  async answered(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  count(request: string): void {
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
  }

  /** A client of the same DynamoDB whose commands are counted, with the units that DynamoDB says they took. */
  dynamoDb(endpoint: string): DynamoDBClient {
    const client = new DynamoDBClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const operation = commandName.replace(/Command$/, '');
          const input = { ...args.input, ReturnConsumedCapacity: 'INDEXES' as const };
          const asked = (async () => {
            const result = await next({ ...args, input }).catch((error: unknown) => {
              if (isConditionRefusal(error)) this.#countRefusal(operation, args.input);
              throw error;
            });
            // Every operation of items answers with it, those of a batch with one a table, because it was asked for.
            const { ConsumedCapacity: consumed } = result.output as {
              ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[];
            };
            this.#countUnits(operation, args.input, [consumed ?? []].flat());
            return result;
          })();
          this.#underWay.add(asked);
          return await asked.finally(() => this.#underWay.delete(asked));
        },
      { step: 'initialize', name: 'countRequests' },
    );
    return client;
  }

  /** Of the queues, each batch is a request. */
  queue<Message>(name: string): MemoryQueue<Message> {
    const queue = new MemoryQueue<Message>();
    const send = queue.send.bind(queue);
    queue.send = async (messages, options) => {
      for (let sent = 0; sent < messages.length; sent += MAXIMUM_BATCH) {
        this.count(`SendMessageBatch ${name}`);
      }
      await send(messages, options);
    };
    return queue;
  }

  connections(): MemoryConnections {
    const connections = new MemoryConnections();
    const post = connections.post.bind(connections);
    connections.post = (connection, frame) => {
      this.count('POST @connections');
      return post(connection, frame);
    };
    return connections;
  }

  /** Of the buckets, a call of the port is a request of S3, but for grants and links, which are only signed. */
  uploads(): MemoryUploads {
    const uploads = new MemoryUploads();
    const operations = {
      begin: 'CreateMultipartUpload',
      parts: 'ListParts',
      complete: 'CompleteMultipartUpload',
      abort: 'AbortMultipartUpload',
      inspect: 'HeadObject',
      open: 'GetObject',
    } as const satisfies Partial<Record<keyof Uploads, string>>;
    return new Proxy(uploads, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...parameters: unknown[]) => {
          const operation = Object.entries(operations).find(([method]) => method === name)?.[1];
          if (operation !== undefined) this.count(`${operation} uploads`);
          return Reflect.apply(member, target, parameters);
        };
      },
    });
  }

  /** The workspace of a workflow, as a bucket: to remove files is to list and to delete them. */
  workspace(): MemoryWorkspace {
    const workspace = new MemoryWorkspace();
    const operations = {
      write: (of: string) => this.count(`PutObject ${of}`),
      read: (of: string) => this.count(`GetObject ${of}`),
      open: (of: string) => this.count(`GetObject ${of}`),
      remove: (of: string, execution: unknown) => {
        this.count(`ListObjectsV2 ${of}`);
        for (const _ of workspace.filesOf(String(execution))) this.count(`DeleteObject ${of}`);
      },
    };
    return new Proxy(workspace, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...parameters: unknown[]) => {
          const count = Object.entries(operations).find(([method]) => method === name)?.[1];
          count?.('workspace', parameters[0]);
          return Reflect.apply(member, target, parameters);
        };
      },
    });
  }

  /** A state machine: each message is an execution that is started, and each of them may be stopped. */
  stateMachine(): Queue<Work> & Executions {
    return {
      send: async (messages) => messages.forEach(() => void this.count('StartExecution workflow')),
      stop: async () => this.count('StopExecution workflow'),
    };
  }

  results(): MemoryResults {
    const results = new MemoryResults();
    const write = results.write.bind(results);
    results.write = (record: JobRecord, body, contentType) => {
      this.count('PutObject results');
      return write(record, body, contentType);
    };
    return results;
  }

  /** A refused write costs what it would have; the item is in the table, and the index is not touched. */
  #countRefusal(operation: string, input: object): void {
    this.count(`${operation} ${'TableName' in input ? String(input.TableName) : ''}`);
    this.#writeUnits += 1;
  }

  #countUnits(operation: string, input: object, consumed: readonly ConsumedCapacity[]): void {
    const index = 'IndexName' in input ? `/${String(input.IndexName)}` : '';
    for (const { TableName = '', CapacityUnits = 0 } of consumed) {
      this.count(`${operation} ${TableName}${index}`);
      if (!READS.has(operation)) this.#writeUnits += CapacityUnits;
      else this.#readUnits += Math.max(CapacityUnits, leastUnits(input));
    }
  }
}

/**
 * A read that finds nothing costs as much as the smallest that finds something
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html); DynamoDB Local
 * says 0 for a query.
 */
function leastUnits(input: object): number {
  return 'ConsistentRead' in input && input.ConsistentRead === true ? 1 : 0.5;
}
