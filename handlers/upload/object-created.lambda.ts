import { createDynamoDbClient, createS3Client, createSqsClient } from '../aws/clients.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { readObjectCreated } from '../aws/object-created-event.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { createLog } from '../aws/telemetry.ts';
import { UploadsBucket } from '../aws/uploads-bucket.ts';
import { readEnvironment } from '../environment.ts';
import type { Work } from '../queue-messages.ts';
import { createObjectCreated } from './object-created.ts';
import { takeUploads } from './uploads-of-event.ts';

const environment = readEnvironment(['jobsTable', 'uploadsBucket', 'workQueueUrl']);

const log = createLog('object-created');

const objectCreated = createObjectCreated({
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  uploads: new UploadsBucket({ client: createS3Client(), bucketName: environment.uploadsBucket }),
  work: new SqsQueue<Work>({ client: createSqsClient(), queueUrl: environment.workQueueUrl }),
  now: () => new Date(),
  log,
});

/**
 * Hears of every upload. What it throws, a malformed event included, Lambda repeats and then keeps in the
 * function's on-failure destination, where an operator sees it.
 */
export async function handler(event: unknown): Promise<void> {
  await takeUploads(readObjectCreated(event), objectCreated, log);
}
