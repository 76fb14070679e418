import { randomUUID } from 'node:crypto';
import { createDynamoDbClient, createS3Client, createSqsClient } from '../aws/clients.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { WorkSchema } from '../aws/messages.ts';
import { type BatchItemFailures, batchItemFailures, readMessages } from '../aws/queue-event.ts';
import { ResultsBucket } from '../aws/results-bucket.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { createLog, createMeter } from '../aws/telemetry.ts';
import { UploadsBucket } from '../aws/uploads-bucket.ts';
import { positiveNumber, readEnvironment } from '../environment.ts';
import type { Deadline } from '../queue-messages.ts';
import { systemClock } from './clock.ts';
import { limitsWithRanges } from './csv-profile/profiling-limits.ts';
import { processorsWithin } from './processors.ts';
import { type RunJobParts, runJob } from './run-job.ts';

const environment = readEnvironment([
  'jobsTable',
  'uploadsBucket',
  'resultsBucket',
  'deadlinesQueueUrl',
  'rangeMegabytes',
]);
const s3 = createS3Client();
const log = createLog('process');
const meter = createMeter('process');
const parts: RunJobParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  uploads: new UploadsBucket({ client: s3, bucketName: environment.uploadsBucket }),
  results: new ResultsBucket({ client: s3, bucketName: environment.resultsBucket }),
  deadlines: new SqsQueue<Deadline>({ client: createSqsClient(), queueUrl: environment.deadlinesQueueUrl }),
  processors: processorsWithin(
    limitsWithRanges(positiveNumber('rangeMegabytes', environment.rangeMegabytes)),
  ),
  clock: systemClock,
  log,
  meter,
  newExecution: randomUUID,
  random: Math.random,
};

/** Works on the jobs of the work queue: one a time, since the batch size is 1 and a job may take all of the time. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<BatchItemFailures> {
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  const kept: string[] = [];
  for (const reading of readMessages(event, WorkSchema)) {
    if ('malformed' in reading) {
      // Kept, so that it ends in the dead-letter queue, where somebody can look at it.
      log.error('a message of the work queue is malformed', { error: reading.malformed });
      kept.push(reading.messageId);
    } else if ((await runJob(reading.message, endsAt, parts)) === 'keep') kept.push(reading.messageId);
  }
  meter.publish();
  return batchItemFailures(kept);
}
