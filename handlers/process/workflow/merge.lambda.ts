import { createDynamoDbClient, createS3Client } from '../../aws/clients.ts';
import { executionFiles } from '../../aws/execution-files.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { ResultsBucket } from '../../aws/results-bucket.ts';
import { createLog, createMeter } from '../../aws/telemetry.ts';
import { readStep } from '../../aws/workflow-event.ts';
import { readEnvironment } from '../../environment.ts';
import { systemClock } from '../clock.ts';
import { type MergeParts, mergeRanges } from './merge.ts';
import { STEPS, STEPS_WITH_FETCH } from './step-progress.ts';

const environment = readEnvironment(['jobsTable', 'resultsBucket']);
const files = executionFiles();
const meter = createMeter('process');
const parts: MergeParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  results: new ResultsBucket({
    client: files.kind === 'bucket' ? files.s3 : createS3Client(),
    bucketName: environment.resultsBucket,
  }),
  workspace: files.workspace,
  steps: files.kind === 'folder' ? STEPS_WITH_FETCH : STEPS,
  clock: systemClock,
  log: createLog('merge'),
  meter,
  random: Math.random,
};

/** Merges what the ranges came to into the result, and ends the job. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<Record<string, never>> {
  try {
    return await mergeRanges(readStep(event), Date.now() + context.getRemainingTimeInMillis(), parts);
  } finally {
    meter.publish();
  }
}
