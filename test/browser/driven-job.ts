import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { JobsTable } from '../../handlers/aws/jobs-table.ts';
import type { JobFields, Jobs } from '../../handlers/ports.ts';
import type { Administration } from '../../local/runtime/runtime.ts';
import type { Job } from '../../protocol/job.ts';
import { createJob } from '../flow/http-calls.ts';

/** A job that nobody works on but the test, which writes its states to the jobs table as the functions would. */
export class DrivenJob implements Disposable {
  readonly id: string;
  readonly #client: DynamoDBClient;
  readonly #jobs: Jobs;
  readonly #execution: string;

  private constructor(id: string, client: DynamoDBClient, jobs: Jobs, execution: string) {
    this.id = id;
    this.#client = client;
    this.#jobs = jobs;
    this.#execution = execution;
  }

  /** Asks the API for a job and claims it as the process function would. */
  static async start(
    api: string,
    administration: Administration,
    options: { readonly fileName?: string; readonly tags?: string[] } = {},
  ): Promise<DrivenJob> {
    const { job } = await createJob(api, { size: 1, ...options });
    const client = new DynamoDBClient({
      endpoint: administration.dynamoDb,
      region: administration.region,
      credentials: administration.credentials,
    });
    const jobs = new JobsTable({ client, tableName: administration.physicalName('JobsTable') });
    const execution = { id: 'test', aliveUntil: new Date(Date.now() + 900_000).toISOString() };
    await jobs.change(job.id, { at: now(), to: 'queued', set: { objectTag: '"test"' } });
    await jobs.change(job.id, { at: now(), to: 'running', set: { execution } });
    return new DrivenJob(job.id, client, jobs, execution.id);
  }

  /** Commits a report. */
  async report(set: JobFields): Promise<Job> {
    const execution = this.#execution;
    return (await this.#jobs.change(this.id, { at: now(), within: ['running'], execution, set })).job;
  }

  /** Ends the job. */
  async succeed(): Promise<Job> {
    const result = { href: `/jobs/${this.id}/result`, contentType: 'application/json', size: 0 };
    const set = { result, progress: { fraction: 1 } };
    return (await this.#jobs.change(this.id, { at: now(), to: 'succeeded', execution: this.#execution, set }))
      .job;
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }
}

function now(): string {
  return new Date().toISOString();
}
