import { setTimeout as pause } from 'node:timers/promises';
import { BroadcastRoundsTable } from '../aws/broadcast-rounds-table.ts';
import { createDynamoDbClient, sqsClientAtFirstUse } from '../aws/clients.ts';
import { ConnectionPoster } from '../aws/connection-poster.ts';
import { IotBroker } from '../aws/iot-broker.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { DeliverOrRetainMessageSchema } from '../aws/messages.ts';
import { type BatchItemFailures, batchItemFailures, readMessages } from '../aws/queue-event.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { SubscriptionsTable } from '../aws/subscriptions-table.ts';
import { createLog, createMeter } from '../aws/telemetry.ts';
import { positiveNumber, readEnvironment } from '../environment.ts';
import type { Broadcast, Delivery, RetainedState } from '../queue-messages.ts';
import { type BroadcastReading, broadcast } from './broadcast.ts';
import { PORTION } from './concurrency.ts';
import { type DeliverParts, type DeliveryReading, deliver } from './deliver.ts';
import { PostPace } from './post-pace.ts';
import { type RetainParts, type RetainReading, retain } from './retain.ts';
import type { BroadcastParts } from './tell-range.ts';

const environment = readEnvironment([
  'jobsTable',
  'subscriptionsTable',
  'subscriptionsByConnectionIndex',
  'deliveriesQueueUrl',
  'broadcastsQueueUrl',
  'postsPerSecond',
  'broadcastConcurrency',
  'socketUrl',
  'retainedQueueUrl',
  'iotEndpoint',
]);
const client = createDynamoDbClient();
const queues = sqsClientAtFirstUse();
const meter = createMeter('deliver');
const postsPerSecond = positiveNumber('postsPerSecond', environment.postsPerSecond);
const parts: DeliverParts & BroadcastParts & RetainParts = {
  jobs: new JobsTable({ client, tableName: environment.jobsTable }),
  subscriptions: new SubscriptionsTable({
    client,
    tableName: environment.subscriptionsTable,
    connectionIndexName: environment.subscriptionsByConnectionIndex,
  }),
  connections: new ConnectionPoster({ socketUrl: environment.socketUrl }),
  deliveries: new SqsQueue<Delivery>({ client: queues, queueUrl: environment.deliveriesQueueUrl }),
  broadcasts: new SqsQueue<Broadcast>({ client: queues, queueUrl: environment.broadcastsQueueUrl }),
  rounds: new BroadcastRoundsTable({ client, tableName: environment.subscriptionsTable }),
  broker: new IotBroker({ endpoint: environment.iotEndpoint }),
  retained: new SqsQueue<RetainedState>({ client: queues, queueUrl: environment.retainedQueueUrl }),
  pace: new PostPace({
    perSecond: postsPerSecond / positiveNumber('broadcastConcurrency', environment.broadcastConcurrency),
    now: () => performance.now(),
    pause,
  }),
  postsPerSecond,
  portion: PORTION,
  now: () => new Date(),
  random: Math.random,
  log: createLog('deliver'),
  meter,
};

/** Posts what could not be at once, and to large audiences; and has the broker retain what it did not. Each has a queue. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<BatchItemFailures> {
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  const broadcasts: BroadcastReading[] = [];
  const deliveries: DeliveryReading[] = [];
  const retained: RetainReading[] = [];
  for (const reading of readMessages(event, DeliverOrRetainMessageSchema)) {
    if ('malformed' in reading) deliveries.push(reading);
    else if (!('kind' in reading.message)) deliveries.push({ ...reading, message: reading.message });
    else if (reading.message.kind === 'retained') retained.push({ ...reading, message: reading.message });
    else broadcasts.push({ ...reading, message: reading.message });
  }
  const kept = [
    ...(await retain(retained, parts)),
    ...(await deliver(deliveries, parts, endsAt)),
    ...(await broadcast(broadcasts, parts, endsAt)),
  ];
  meter.publish();
  return batchItemFailures(kept);
}
