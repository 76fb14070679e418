import { createDynamoDbClient, createS3Client } from '../../aws/clients.ts';
import { uploadsOfEnvironment } from '../../aws/execution-files.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { createLog } from '../../aws/telemetry.ts';
import { readStep } from '../../aws/workflow-event.ts';
import { WorkspaceFolder } from '../../aws/workspace-folder.ts';
import { readEnvironment } from '../../environment.ts';
import { systemClock } from '../clock.ts';
import { type FetchParts, fetchPayload, removeAbandonedFiles } from './fetch.ts';

const environment = readEnvironment(['jobsTable', 'workspacePath']);
const parts: FetchParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  uploads: uploadsOfEnvironment(createS3Client()),
  workspace: new WorkspaceFolder(environment.workspacePath),
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
  const step = readStep(event);
  await removeAbandonedFiles(parts);
  return fetchPayload(step, endsAt, parts);
}
