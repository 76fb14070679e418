import { createDynamoDbClient, createS3Client } from '../../aws/clients.ts';
import { sharedFiles } from '../../aws/execution-files.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { createLog } from '../../aws/telemetry.ts';
import { uploadsOfEnvironment } from '../../aws/uploads-of-environment.ts';
import { readStep } from '../../aws/workflow-event.ts';
import { readEnvironment } from '../../environment.ts';
import { systemClock } from '../clock.ts';
import { type FetchParts, fetchPayload, removeAbandonedFiles } from './fetch.ts';

const environment = readEnvironment(['jobsTable']);
const parts: FetchParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  uploads: uploadsOfEnvironment(createS3Client()),
  workspace: sharedFiles(),
  clock: systemClock,
  log: createLog('fetch'),
  random: Math.random,
};

/** Copies the payload to the shared folder, once for all steps behind it. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<Record<string, never>> {
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  const answer = await fetchPayload(readStep(event), endsAt, parts);
  await removeAbandonedFiles(endsAt, parts); // last: a copy that was made is not made again for it
  return answer;
}
