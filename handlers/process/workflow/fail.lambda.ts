import { createDynamoDbClient } from '../../aws/clients.ts';
import { executionFiles } from '../../aws/execution-files.ts';
import { JobsTable } from '../../aws/jobs-table.ts';
import { createLog, createMeter } from '../../aws/telemetry.ts';
import { readFailure } from '../../aws/workflow-event.ts';
import { readEnvironment } from '../../environment.ts';
import { systemClock } from '../clock.ts';
import { type FailParts, failExecution } from './fail.ts';

const environment = readEnvironment(['jobsTable']);
const meter = createMeter('process');
const parts: FailParts = {
  jobs: new JobsTable({ client: createDynamoDbClient(), tableName: environment.jobsTable }),
  workspace: executionFiles().workspace,
  clock: systemClock,
  log: createLog('fail'),
  meter,
  random: Math.random,
};

/** Ends the job of an execution that failed, as its `Catch` or EventBridge says, and removes its files. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<Record<string, never>> {
  try {
    return await failExecution(readFailure(event), Date.now() + context.getRemainingTimeInMillis(), parts);
  } finally {
    meter.publish();
  }
}
