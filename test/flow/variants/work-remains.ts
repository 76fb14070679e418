import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { type ExecutionListItem, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { expect } from 'vitest';
import { executionNameOf } from '../../../handlers/execution-name.ts';
import type { Administration, Runtime } from '../../../local/runtime/runtime.ts';
import type { Job } from '../../../protocol/job.ts';

/** The setting `processing`. */
export type ProcessingName = 'lambda' | 'step-functions' | 'step-functions-efs';

/** The executions of the stack's workflow, the newest first; none where it has no workflow. */
async function executions({
  region,
  credentials,
  stepFunctions,
}: Administration): Promise<readonly ExecutionListItem[]> {
  if (stepFunctions === undefined) return [];
  const client = new SFNClient({ endpoint: stepFunctions.endpoint, region, credentials });
  const [stateMachineArn] = stepFunctions.stateMachineArns;
  const { executions: listed = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
  client.destroy();
  return listed;
}

/** How the executions ended, or stand, that work or worked on a job. */
export async function executionsOf({ administration }: Runtime, job: Job): Promise<readonly unknown[]> {
  const wanted = executionNameOf({ job: job.id, epoch: job.epoch });
  return (await executions(administration)).filter(({ name }) => name === wanted).map(({ status }) => status);
}

/**
 * Expects that the one execution of a job that was cancelled was stopped; or that it ended by itself, which it does
 * where a step sees in that very moment that the job is nobody's any more.
 */
export async function expectStopped(runtime: Runtime, job: Job): Promise<void> {
  const statuses = await executionsOf(runtime, job);
  expect(statuses).toHaveLength(1);
  expect(statuses[0]).toBeOneOf(['ABORTED', 'SUCCEEDED']);
}

/** What steps handed to each other and nobody has removed: keys of the bucket, or names in the shared folder. */
async function workspaceFiles(
  processing: ProcessingName,
  { s3, region, credentials, fileSystem, physicalName }: Administration,
): Promise<readonly string[]> {
  if (processing === 'lambda') return [];
  if (processing === 'step-functions-efs') {
    return await readdir(path.join(fileSystem('WorkspaceFileSystem'), 'jobwire'));
  }
  const client = new S3Client({ endpoint: s3, region, credentials, forcePathStyle: true });
  const Bucket = physicalName('WorkspaceBucket');
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  client.destroy();
  return Contents.flatMap(({ Key }) => Key ?? []);
}

/** The functions of the workflow that work for long. */
const STEPS = ['WorkflowInspectFunction', 'WorkflowProfileFunction', 'WorkflowMergeFunction'];

/** Waits until no execution runs, nobody works for one that ended, and no file of any is left. */
export async function expectNothingLeft(processing: ProcessingName, runtime: Runtime): Promise<void> {
  const { administration } = runtime;
  const left = async () => [
    ...(await executions(administration)).filter(({ status }) => status === 'RUNNING'),
    ...(processing === 'lambda' ? [] : STEPS.filter((step) => runtime.busyFunction(step) > 0)),
    ...(await workspaceFiles(processing, administration)),
  ];
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
}
