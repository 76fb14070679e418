import { setTimeout as pause } from 'node:timers/promises';
import { BroadcastRoundsTable } from '../aws/broadcast-rounds-table.ts';
import { createDynamoDbClient, sqsClientAtFirstUse } from '../aws/clients.ts';
import { ConnectionPoster } from '../aws/connection-poster.ts';
import { IotBroker } from '../aws/iot-broker.ts';
import { type BatchItemFailures, batchItemFailures } from '../aws/queue-event.ts';
import { readRemovedJobs } from '../aws/removed-jobs.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { readJobChanges } from '../aws/stream-event.ts';
import { SubscriptionsTable } from '../aws/subscriptions-table.ts';
import { createLog, createMeter } from '../aws/telemetry.ts';
import { readEnvironment } from '../environment.ts';
import type { Broadcast, Delivery, RetainedState } from '../queue-messages.ts';
import { BrokerTeller, isLater } from './broker-teller.ts';
import { PORTION } from './concurrency.ts';
import { type PublishParts, publish } from './publish.ts';

const environment = readEnvironment([
  'subscriptionsTable',
  'subscriptionsByConnectionIndex',
  'deliveriesQueueUrl',
  'broadcastsQueueUrl',
  'socketUrl',
  'retainedQueueUrl',
  'iotEndpoint',
]);
const client = createDynamoDbClient();
const queues = sqsClientAtFirstUse();
const meter = createMeter('publish');
const parts: PublishParts = {
  subscriptions: new SubscriptionsTable({
    client,
    tableName: environment.subscriptionsTable,
    connectionIndexName: environment.subscriptionsByConnectionIndex,
  }),
  connections: new ConnectionPoster({ socketUrl: environment.socketUrl }),
  deliveries: new SqsQueue<Delivery>({ client: queues, queueUrl: environment.deliveriesQueueUrl }),
  broadcasts: new SqsQueue<Broadcast>({ client: queues, queueUrl: environment.broadcastsQueueUrl }),
  rounds: new BroadcastRoundsTable({ client, tableName: environment.subscriptionsTable }),
  portion: PORTION,
  pause,
  now: () => new Date(),
  random: Math.random,
  log: createLog('publish'),
  meter,
};

const teller = new BrokerTeller({
  ...parts,
  broker: new IotBroker({ endpoint: environment.iotEndpoint }),
  retained: new SqsQueue<RetainedState>({ client: queues, queueUrl: environment.retainedQueueUrl }),
});

/** Publishes a batch of the jobs table's stream to connections, and to the broker beside them. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<BatchItemFailures> {
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  const changes = readJobChanges(event);
  const again = await Promise.all([
    publish(changes, parts, endsAt),
    teller.tell(changes, readRemovedJobs(event), endsAt),
  ]);
  meter.publish();
  const [first] = again
    .filter((sequenceNumber) => sequenceNumber !== undefined)
    .sort((one, other) => (isLater(one, other) ? 1 : -1));
  return batchItemFailures(first === undefined ? [] : [first]);
}
