import { createDynamoDbClient, createSqsClient } from '../../aws/clients.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { SqsQueue } from '../../aws/sqs-queue.ts';
import { createLog } from '../../aws/telemetry.ts';
import { readStep } from '../../aws/workflow-event.ts';
import { readEnvironment } from '../../environment.ts';
import type { Deadline } from '../../queue-messages.ts';
import { systemClock } from '../clock.ts';
import { type BeginAnswer, type BeginParts, begin } from './begin.ts';

const environment = readEnvironment(['jobsTable', 'deadlinesQueueUrl']);
const parts: BeginParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  deadlines: new SqsQueue<Deadline>({ client: createSqsClient(), queueUrl: environment.deadlinesQueueUrl }),
  clock: systemClock,
  log: createLog('begin'),
  random: Math.random,
};

/** Begins an execution of the workflow: takes the job for it. Runs outside of the VPC, because it sends to a queue. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<BeginAnswer> {
  return begin(readStep(event), Date.now() + context.getRemainingTimeInMillis(), parts);
}
