import { createDynamoDbClient } from '../../aws/clients.ts';
import { executionFiles } from '../../aws/execution-files.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { createLog } from '../../aws/telemetry.ts';
import { uploadsOfEnvironment } from '../../aws/uploads-of-environment.ts';
import { readRangeStep } from '../../aws/workflow-event.ts';
import { readEnvironment } from '../../environment.ts';
import { systemClock } from '../clock.ts';
import { fetchedPayload, uploadedPayload } from './payload.ts';
import { type ProfileParts, profilePayload } from './profile.ts';

const environment = readEnvironment(['jobsTable']);
const files = executionFiles();
const parts: ProfileParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  workspace: files.workspace,
  payload:
    files.kind === 'folder'
      ? fetchedPayload(files.workspace)
      : uploadedPayload(uploadsOfEnvironment(files.s3)),
  clock: systemClock,
  log: createLog('profile'),
  random: Math.random,
};

/** Profiles one range of the payload. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<Record<string, never>> {
  return profilePayload(readRangeStep(event), Date.now() + context.getRemainingTimeInMillis(), parts);
}
