/**
 * What each flow asks of AWS, beside the function that it runs in: how often which operation is called on what.
 * ARCHITECTURE.md ("Reads and writes") says the same with the reason for each, and
 * test/conformance/request-budget.test.ts measures it on the real stages and adapters and compares all three. So
 * whoever adds a request says so here and there; and the bills of this folder are made of requests that are made.
 */
export interface FlowRequests {
  /** How often, by operation and what it is called on: a table, an index of it, a queue, a bucket, connections. */
  readonly requests: Readonly<Record<string, number>>;
  /** DynamoDB's read request units: one for 4 KB strongly consistent, half for eventually (aws-facts 7). */
  readonly readUnits: number;
  /** DynamoDB's write request units: one for each KB of the item, and of each index that the write touches. */
  readonly writeUnits: number;
}

/** Every flow, for a job whose item is below 1 KB until it succeeds; batches and audiences as their names say. */
export const REQUESTS = {
  'POST /jobs': {
    requests: { 'PutItem jobs': 1, 'SendMessageBatch deadlines': 1 },
    readUnits: 0,
    writeUnits: 2,
  },
  'POST /jobs, by a form': {
    requests: { 'PutItem jobs': 1, 'SendMessageBatch deadlines': 1 },
    readUnits: 0,
    writeUnits: 2,
  },
  'POST /jobs, in parts': {
    requests: { 'PutItem jobs': 1, 'SendMessageBatch deadlines': 1, 'CreateMultipartUpload uploads': 1 },
    readUnits: 0,
    writeUnits: 2,
  },
  'POST /jobs with a new key': {
    requests: { 'GetItem jobs': 1, 'PutItem jobs': 1, 'SendMessageBatch deadlines': 1 },
    readUnits: 1,
    writeUnits: 2,
  },
  'POST /jobs with a known key': { requests: { 'GetItem jobs': 1 }, readUnits: 1, writeUnits: 0 },
  'GET /jobs/{id}': { requests: { 'GetItem jobs': 1 }, readUnits: 1, writeUnits: 0 },
  'GET /jobs/{id}, held 2 s': { requests: { 'GetItem jobs': 5 }, readUnits: 5, writeUnits: 0 },
  'GET /jobs, 20 jobs': {
    requests: { 'Query jobs/by-owner': 1, 'BatchGetItem jobs': 1 },
    readUnits: 20.5,
    writeUnits: 0,
  },
  'POST /jobs/{id}/tickets': { requests: { 'GetItem jobs': 1 }, readUnits: 1, writeUnits: 0 },
  'POST /tickets': { requests: {}, readUnits: 0, writeUnits: 0 },
  'POST /jobs/{id}/cancel': {
    requests: { 'GetItem jobs': 1, 'UpdateItem jobs': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  'GET /jobs/{id}/upload, in parts': {
    requests: { 'GetItem jobs': 1, 'ListParts uploads': 1 },
    readUnits: 1,
    writeUnits: 0,
  },
  'POST /jobs/{id}/upload/progress': {
    requests: { 'GetItem jobs': 1, 'UpdateItem jobs': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  'POST /jobs/{id}/upload/progress, within a second': {
    requests: { 'GetItem jobs': 1 },
    readUnits: 1,
    writeUnits: 0,
  },
  'POST /jobs/{id}/upload/complete': {
    requests: { 'GetItem jobs': 1, 'CompleteMultipartUpload uploads': 1 },
    readUnits: 1,
    writeUnits: 0,
  },
  'GET /jobs/{id}/result': { requests: { 'GetItem jobs': 1 }, readUnits: 1, writeUnits: 0 },
  'GET /jobs/{id}/watchers, 10 watchers': {
    requests: { 'GetItem jobs': 1, 'Query subscriptions': 2, 'BatchGetItem subscriptions': 1 },
    readUnits: 7,
    writeUnits: 0,
  },
  'an upload arrives': {
    requests: {
      'GetItem jobs': 1,
      'HeadObject uploads': 1,
      'UpdateItem jobs': 1,
      'SendMessageBatch work': 1,
    },
    readUnits: 1,
    writeUnits: 1,
  },
  'work begins': {
    requests: { 'UpdateItem jobs': 1, 'SendMessageBatch deadlines': 1, 'GetObject uploads': 1 },
    readUnits: 0,
    writeUnits: 1,
  },
  'work reports progress': { requests: { 'UpdateItem jobs': 1 }, readUnits: 0, writeUnits: 1 },
  'work looks whether it was cancelled': { requests: { 'GetItem jobs': 1 }, readUnits: 1, writeUnits: 0 },
  'work succeeds': {
    requests: { 'PutObject results': 1, 'UpdateItem jobs': 1 },
    readUnits: 0,
    writeUnits: 2,
  },
  'an upload arrives, for a workflow': {
    requests: {
      'GetItem jobs': 1,
      'HeadObject uploads': 1,
      'UpdateItem jobs': 1,
      'StartExecution workflow': 1,
    },
    readUnits: 1,
    writeUnits: 1,
  },
  'a workflow begins': {
    requests: { 'UpdateItem jobs': 1, 'SendMessageBatch deadlines': 1 },
    readUnits: 0,
    writeUnits: 1,
  },
  'a workflow inspects': {
    requests: { 'GetItem jobs': 2, 'GetObject uploads': 1, 'UpdateItem jobs': 2, 'PutObject workspace': 1 },
    readUnits: 2,
    writeUnits: 2,
  },
  'a workflow profiles a range': {
    requests: {
      'GetItem jobs': 2,
      'GetObject workspace': 1,
      'GetObject uploads': 1,
      'UpdateItem jobs': 2,
      'PutObject workspace': 1,
    },
    readUnits: 2,
    writeUnits: 2,
  },
  'a workflow merges': {
    requests: {
      'GetItem jobs': 2,
      'GetObject workspace': 2,
      'UpdateItem jobs': 2,
      'PutObject results': 1,
      'ListObjectsV2 workspace': 1,
      'DeleteObject workspace': 2,
    },
    readUnits: 2,
    writeUnits: 3,
  },
  'a workflow fails': {
    requests: {
      'GetItem jobs': 1,
      'UpdateItem jobs': 1,
      'ListObjectsV2 workspace': 1,
      'DeleteObject workspace': 2,
    },
    readUnits: 1,
    writeUnits: 2,
  },
  'POST /jobs/{id}/cancel, of a workflow': {
    requests: { 'GetItem jobs': 1, 'UpdateItem jobs': 1, 'StopExecution workflow': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  'a deadline is looked at': {
    requests: { 'GetItem jobs': 1, 'SendMessageBatch deadlines': 1 },
    readUnits: 1,
    writeUnits: 0,
  },
  'a deadline has passed': {
    requests: { 'GetItem jobs': 1, 'UpdateItem jobs': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  $connect: { requests: {}, readUnits: 0, writeUnits: 0 },
  '$connect?job=': {
    requests: { 'GetItem jobs': 1, 'PutItem subscriptions': 1, 'SendMessageBatch deliveries': 1 },
    readUnits: 1,
    writeUnits: 2,
  },
  'subscribe to a job, by its ticket': {
    requests: { 'PutItem subscriptions': 1, 'GetItem jobs': 1 },
    readUnits: 1,
    writeUnits: 2,
  },
  'subscribe to a job, by an owner’s ticket': {
    requests: { 'Query subscriptions/by-connection': 1, 'GetItem jobs': 2, 'PutItem subscriptions': 1 },
    readUnits: 2.5,
    writeUnits: 2,
  },
  'subscribe to a topic': {
    requests: { 'Query subscriptions/by-connection': 1, 'PutItem subscriptions': 1 },
    readUnits: 0.5,
    writeUnits: 2,
  },
  unsubscribe: { requests: { 'DeleteItem subscriptions': 1 }, readUnits: 0, writeUnits: 2 },
  'ping, nothing new': { requests: { 'BatchGetItem jobs': 1 }, readUnits: 1, writeUnits: 0 },
  'ping, the first': {
    requests: { 'BatchGetItem jobs': 1, 'UpdateItem subscriptions': 1 },
    readUnits: 1,
    writeUnits: 2,
  },
  'ping, a newer head': {
    requests: { 'BatchGetItem jobs': 1, 'UpdateItem subscriptions': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  'ping, nothing new, in another execution environment': {
    requests: { 'BatchGetItem jobs': 1, 'UpdateItem subscriptions': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  'ping, a frame was missed': {
    requests: { 'BatchGetItem jobs': 1, 'UpdateItem subscriptions': 1, 'POST @connections': 1 },
    readUnits: 1,
    writeUnits: 1,
  },
  '$disconnect, nothing watched': {
    requests: { 'Query subscriptions/by-connection': 1 },
    readUnits: 0.5,
    writeUnits: 0,
  },
  '$disconnect, 1 job watched': {
    requests: { 'Query subscriptions/by-connection': 1, 'BatchWriteItem subscriptions': 1 },
    readUnits: 0.5,
    writeUnits: 4,
  },
  '$disconnect, 10 jobs watched': {
    requests: { 'Query subscriptions/by-connection': 1, 'BatchWriteItem subscriptions': 1 },
    readUnits: 0.5,
    writeUnits: 22,
  },
  'publish a change, nobody watches': { requests: { 'Query subscriptions': 2 }, readUnits: 2, writeUnits: 0 },
  'publish a change, 1 watcher': {
    requests: { 'Query subscriptions': 2, 'POST @connections': 1 },
    readUnits: 2,
    writeUnits: 0,
  },
  'publish a change, 10 watchers': {
    requests: { 'Query subscriptions': 2, 'POST @connections': 10 },
    readUnits: 2,
    writeUnits: 0,
  },
  'publish 10 changes of a job in one batch, 1 watcher': {
    requests: { 'Query subscriptions': 2, 'POST @connections': 1 },
    readUnits: 2,
    writeUnits: 0,
  },
  'publish a batch of 10 jobs of one owner, 1 watcher each': {
    requests: { 'Query subscriptions': 11, 'POST @connections': 10 },
    readUnits: 11,
    writeUnits: 0,
  },
  'publish to a connection that is gone': {
    requests: {
      'Query subscriptions': 2,
      'POST @connections': 1,
      'Query subscriptions/by-connection': 1,
      'BatchWriteItem subscriptions': 1,
    },
    readUnits: 2.5,
    writeUnits: 2,
  },
  'publish while API Gateway throttles, 10 watchers': {
    requests: { 'Query subscriptions': 2, 'POST @connections': 10, 'SendMessageBatch deliveries': 1 },
    readUnits: 2,
    writeUnits: 0,
  },
  'announce a change to a large audience': {
    requests: { 'Query subscriptions': 2, 'UpdateItem subscriptions': 1, 'SendMessageBatch broadcasts': 1 },
    readUnits: 2,
    writeUnits: 2,
  },
  'announce another change during its round': {
    requests: { 'Query subscriptions': 2, 'UpdateItem subscriptions': 2, 'SendMessageBatch broadcasts': 1 },
    readUnits: 2,
    writeUnits: 2,
  },
  'announce one more': {
    requests: { 'Query subscriptions': 2, 'UpdateItem subscriptions': 1 },
    readUnits: 2,
    writeUnits: 1,
  },
  'tell the first range of a large audience': {
    requests: {
      'UpdateItem subscriptions': 2,
      'Query subscriptions': 2,
      'SendMessageBatch broadcasts': 1,
      'GetItem jobs': 1,
      'POST @connections': 12,
    },
    readUnits: 3,
    writeUnits: 2,
  },
  'tell another range of it': {
    requests: {
      'Query subscriptions': 1,
      'UpdateItem subscriptions': 1,
      'GetItem jobs': 1,
      'POST @connections': 1,
    },
    readUnits: 2,
    writeUnits: 1,
  },
  'deliver a batch of 10, one job': {
    requests: { 'BatchGetItem jobs': 1, 'POST @connections': 10 },
    readUnits: 1,
    writeUnits: 0,
  },
} as const satisfies Readonly<Record<string, FlowRequests>>;

/** The name of a flow. */
export type Flow = keyof typeof REQUESTS;
