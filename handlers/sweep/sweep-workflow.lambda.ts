import {
  createDynamoDbClient,
  createS3Client,
  createSqsClient,
  sfnClientAtFirstUse,
} from '../aws/clients.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { DeadlineSchema } from '../aws/messages.ts';
import { type BatchItemFailures, batchItemFailures, readMessages } from '../aws/queue-event.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { createLog, createMeter } from '../aws/telemetry.ts';
import { UploadsBucket } from '../aws/uploads-bucket.ts';
import { WorkflowExecutions } from '../aws/workflow-executions.ts';
import { readEnvironment } from '../environment.ts';
import type { Deadline } from '../queue-messages.ts';
import { type SweepParts, sweep } from './sweep.ts';

const environment = readEnvironment(['jobsTable', 'uploadsBucket', 'stateMachineArn', 'deadlinesQueueUrl']);
const executions = new WorkflowExecutions({
  client: sfnClientAtFirstUse(),
  stateMachineArn: environment.stateMachineArn,
});
const meter = createMeter('sweep');
const parts: SweepParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  uploads: new UploadsBucket({ client: createS3Client(), bucketName: environment.uploadsBucket }),
  work: executions,
  deadlines: new SqsQueue<Deadline>({ client: createSqsClient(), queueUrl: environment.deadlinesQueueUrl }),
  executions,
  now: () => new Date(),
  log: createLog('sweep'),
  meter,
};

/** Looks at jobs whose deadline may have passed, where a workflow works on jobs. */
export async function handler(event: unknown): Promise<BatchItemFailures> {
  const kept = await sweep(readMessages(event, DeadlineSchema), parts);
  meter.publish();
  return batchItemFailures(kept);
}
