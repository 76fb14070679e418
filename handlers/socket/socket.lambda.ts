import { createDynamoDbClient, createSqsClient } from '../aws/clients.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { LateConnectionPoster } from '../aws/late-connection-poster.ts';
import { readSocketEvent } from '../aws/socket-event.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { SubscriptionsTable } from '../aws/subscriptions-table.ts';
import { createLog } from '../aws/telemetry.ts';
import { readEnvironment } from '../environment.ts';
import type { Delivery } from '../queue-messages.ts';
import type { SocketAnswer } from './dependencies.ts';
import { createSocket } from './socket.ts';

const environment = readEnvironment([
  'jobsTable',
  'subscriptionsTable',
  'subscriptionsByConnectionIndex',
  'deliveriesQueueUrl',
  'socketUrl',
]);
const dynamoDb = createDynamoDbClient();

const socket = createSocket({
  jobs: new JobsTable({ client: dynamoDb, tableName: environment.jobsTable }),
  subscriptions: new SubscriptionsTable({
    client: dynamoDb,
    tableName: environment.subscriptionsTable,
    connectionIndexName: environment.subscriptionsByConnectionIndex,
  }),
  connections: new LateConnectionPoster({ socketUrl: environment.socketUrl }),
  deliveries: new SqsQueue<Delivery>({
    client: createSqsClient(),
    queueUrl: environment.deliveriesQueueUrl,
  }),
  now: () => new Date(),
  log: createLog('socket'),
});

/** Answers every route of the WebSocket API. */
export async function handler(event: unknown): Promise<SocketAnswer> {
  return await socket(readSocketEvent(event));
}
