import { afterAll, beforeAll } from 'vitest';
import { JobsTable } from '../../handlers/aws/jobs-table.ts';
import { MemoryJobs } from '../../handlers/memory/memory-jobs.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.ts';
import { describeJobs } from './jobs-suite.ts';

let database: DynamoDbLocal;
beforeAll(async () => {
  database = await startDynamoDbLocal();
});
afterAll(() => database.close());

describeJobs('memory', async () => new MemoryJobs());
describeJobs('DynamoDB Local', async () => new JobsTable({ client: database.client, ...database.jobs }));
