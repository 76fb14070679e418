import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { JobsTable } from '../handlers/aws/jobs-table.ts';
import type { JobRecord, Jobs } from '../handlers/ports.ts';
import type { Administration } from '../local/runtime/runtime.ts';
import { type CreatedJob, CreatedJobSchema } from '../protocol/http.ts';
import { parse } from '../protocol/invalid.ts';

/** A job that is `running` by nobody but the benchmark, so that it alone decides when changes are committed. */
export interface RunningJob {
  readonly created: CreatedJob;
  /** Commits a progress report; answers with the job after it. */
  report(fraction: number): Promise<JobRecord>;
  /** Ends the job, and the connection to the database. */
  finish(): Promise<JobRecord>;
}

/** Asks the API for a job and claims it as the process function would. */
export async function startRunningJob(api: string, administration: Administration): Promise<RunningJob> {
  const response = await fetch(`${api}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'csv-profile', fileName: 'bench.csv', contentType: 'text/csv', size: 1 }),
  });
  const created = parse('the created job', CreatedJobSchema, await response.json());
  const client = new DynamoDBClient({
    endpoint: administration.dynamoDb,
    region: administration.region,
    credentials: administration.credentials,
  });
  const jobs: Jobs = new JobsTable({ client, tableName: administration.physicalName('JobsTable') });
  const { id } = created.job;
  const execution = { id: 'bench', aliveUntil: new Date(Date.now() + 900_000).toISOString() };
  const at = () => new Date().toISOString();
  await jobs.change(id, { at: at(), to: 'queued', set: { objectTag: '"bench"' } });
  await jobs.change(id, { at: at(), to: 'running', set: { execution } });
  return {
    created,
    report: (fraction) =>
      jobs.change(id, {
        at: at(),
        within: ['running'],
        execution: execution.id,
        set: { progress: { fraction } },
      }),
    async finish() {
      const result = { href: `/jobs/${id}/result`, contentType: 'application/json', size: 0 };
      const finished = await jobs.change(id, {
        at: at(),
        to: 'succeeded',
        execution: execution.id,
        set: { result },
      });
      client.destroy();
      return finished;
    },
  };
}
