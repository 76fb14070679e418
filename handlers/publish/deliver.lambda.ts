import { createDynamoDbClient, createSqsClient } from '../aws/clients.ts';
import { ConnectionPoster } from '../aws/connection-poster.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { DeliverySchema } from '../aws/messages.ts';
import { type BatchItemFailures, batchItemFailures, readMessages } from '../aws/queue-event.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { SubscriptionsTable } from '../aws/subscriptions-table.ts';
import { createLog, createMeter } from '../aws/telemetry.ts';
import { readEnvironment } from '../environment.ts';
import type { Delivery } from '../queue-messages.ts';
import { type DeliverParts, deliver } from './deliver.ts';

const environment = readEnvironment([
  'jobsTable',
  'subscriptionsTable',
  'subscriptionsByConnectionIndex',
  'deliveriesQueueUrl',
  'socketUrl',
]);
const client = createDynamoDbClient();
const meter = createMeter('deliver');
const parts: DeliverParts = {
  jobs: new JobsTable({ client, tableName: environment.jobsTable }),
  subscriptions: new SubscriptionsTable({
    client,
    tableName: environment.subscriptionsTable,
    connectionIndexName: environment.subscriptionsByConnectionIndex,
  }),
  connections: new ConnectionPoster({ socketUrl: environment.socketUrl }),
  deliveries: new SqsQueue<Delivery>({ client: createSqsClient(), queueUrl: environment.deliveriesQueueUrl }),
  now: () => new Date(),
  random: Math.random,
  log: createLog('deliver'),
  meter,
};

/** Posts what publish, or a $connect with a job, could not post at once. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<BatchItemFailures> {
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  const kept = await deliver(readMessages(event, DeliverySchema), parts, endsAt);
  meter.publish();
  return batchItemFailures(kept);
}
