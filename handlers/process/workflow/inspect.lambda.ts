import { createDynamoDbClient } from '../../aws/clients.ts';
import { executionFiles } from '../../aws/execution-files.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { createLog } from '../../aws/telemetry.ts';
import { uploadsOfEnvironment } from '../../aws/uploads-of-environment.ts';
import { readStep } from '../../aws/workflow-event.ts';
import { positiveNumber, readEnvironment } from '../../environment.ts';
import { systemClock } from '../clock.ts';
import { limitsWithRanges } from '../csv-profile/profiling-limits.ts';
import { type InspectParts, inspectPayload } from './inspect.ts';
import { fetchedPayload, uploadedPayload } from './payload.ts';

const environment = readEnvironment(['jobsTable', 'rangeMegabytes']);
const files = executionFiles();
const parts: InspectParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  workspace: files.workspace,
  payload:
    files.kind === 'folder'
      ? fetchedPayload(files.workspace)
      : uploadedPayload(uploadsOfEnvironment(files.s3)),
  limits: limitsWithRanges(positiveNumber('rangeMegabytes', environment.rangeMegabytes)),
  clock: systemClock,
  log: createLog('inspect'),
  random: Math.random,
};

/** Reads the payload through and plans its ranges. Answers their numbers, for the Map. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<{ readonly ranges: readonly number[] }> {
  return inspectPayload(readStep(event), Date.now() + context.getRemainingTimeInMillis(), parts);
}
