import { createDynamoDbClient, createS3Client, sfnClientAtFirstUse } from '../aws/clients.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { readObjectCreated } from '../aws/object-created-event.ts';
import { createLog } from '../aws/telemetry.ts';
import { UploadsBucket } from '../aws/uploads-bucket.ts';
import { WorkflowExecutions } from '../aws/workflow-executions.ts';
import { readEnvironment } from '../environment.ts';
import { createObjectCreated } from './object-created.ts';
import { takeUploads } from './uploads-of-event.ts';

const environment = readEnvironment(['jobsTable', 'uploadsBucket', 'stateMachineArn']);

const log = createLog('object-created');

const objectCreated = createObjectCreated({
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  uploads: new UploadsBucket({ client: createS3Client(), bucketName: environment.uploadsBucket }),
  work: new WorkflowExecutions({
    client: sfnClientAtFirstUse(),
    stateMachineArn: environment.stateMachineArn,
  }),
  now: () => new Date(),
  log,
});

/**
 * Hears of every upload, where a workflow works on jobs. What it throws, a malformed event included, Lambda repeats and then keeps in the
 * function's on-failure destination, where an operator sees it.
 */
export async function handler(event: unknown): Promise<void> {
  await takeUploads(readObjectCreated(event), objectCreated, log);
}
