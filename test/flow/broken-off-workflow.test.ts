import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type ExecutionListItem, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Runtime, startRuntime } from '../../local/runtime/runtime.ts';
import type { CreatedJob } from '../../protocol/http.ts';
import { freePorts } from './free-ports.ts';
import { createJob, post, terminalJob, upload } from './http-calls.ts';
import { csvRows } from './large-csv.ts';
import { PROJECT, type RunningJobwire, startJobwire } from './running-jobwire.ts';

const PROCESSING = { processing: 'step-functions-efs' };

/** A second of work for the range. */
const CONTENT = csvRows(200_000);

/** The function that profiles a range. */
const PROFILE = 'WorkflowProfileFunction';

let jobwire: RunningJobwire;
beforeAll(async () => {
  jobwire = await startJobwire(PROCESSING);
});
afterAll(async () => {
  await jobwire.close();
});

async function submit(): Promise<CreatedJob> {
  const created = await createJob(jobwire.api, { size: CONTENT.byteLength });
  expect((await upload(created, CONTENT)).ok).toBe(true);
  return created;
}

/** Waits until the function has been found at work, and kills it. */
async function kill(): Promise<void> {
  await expect.poll(() => jobwire.runtime.killFunction(PROFILE), { interval: 20, timeout: 60_000 }).toBe(1);
}

/** The executions, the newest first. */
async function executions({ administration }: Runtime): Promise<readonly ExecutionListItem[]> {
  const { region, credentials, stepFunctions } = administration;
  if (stepFunctions === undefined) throw new Error('the template has no state machine');
  const client = new SFNClient({ endpoint: stepFunctions.endpoint, region, credentials });
  const [stateMachineArn] = stepFunctions.stateMachineArns;
  const listed = await client.send(new ListExecutionsCommand({ stateMachineArn }));
  return listed.executions ?? [];
}

/** Waits until nothing of any execution is left, neither running nor on the disk. */
async function expectNothingLeft(runtime: Runtime): Promise<void> {
  const left = async () => [
    ...(await executions(runtime)).filter(({ status }) => status === 'RUNNING').map(({ name }) => name),
    ...(await readdir(path.join(runtime.administration.fileSystem('WorkspaceFileSystem'), 'jobwire'))),
  ];
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
}

it('does a step again that was killed in the middle', async () => {
  const { job } = await submit();
  await kill();
  expect(await terminalJob(jobwire.api, job.id)).toMatchObject({ status: 'succeeded' });
  const outcomes = jobwire.reports
    .filter(({ functionName }) => functionName.includes(PROFILE))
    .map(({ outcome }) => (outcome === 'returned' ? outcome : outcome.errorType));
  expect(outcomes).toEqual(['Runtime.ExitError', 'returned']);
  await expectNothingLeft(jobwire.runtime);
});

it('stops the execution of a job that is cancelled during the Map', async () => {
  const { job } = await submit();
  const began = () => jobwire.reports.filter(({ functionName }) => functionName.includes('Inspect')).length;
  await expect.poll(began, { timeout: 60_000 }).toBe(2);
  expect((await post(`${jobwire.api}/jobs/${job.id}/cancel`, {})).ok).toBe(true);
  expect(await terminalJob(jobwire.api, job.id)).toMatchObject({ status: 'cancelled' });
  await expectNothingLeft(jobwire.runtime);
  expect(await executions(jobwire.runtime)).toMatchObject([{ status: 'ABORTED' }, { status: 'SUCCEEDED' }]);
});

it('ends the job of an execution that the end of the runtime broke off, at the next start', async () => {
  const { job } = await submit();
  const began = () => jobwire.reports.filter(({ functionName }) => functionName.includes('Inspect')).length;
  await expect.poll(began, { timeout: 60_000 }).toBe(3);
  await jobwire.runtime.close();
  const lines: string[] = [];
  const next = await startRuntime({
    project: PROJECT,
    stateDirectory: jobwire.stateDirectory,
    firstPort: await freePorts(),
    fresh: false,
    watch: false,
    context: PROCESSING,
    assemblies: inject('assemblies'),
    log: (line) => lines.push(line),
  });
  try {
    expect(await terminalJob(next.endpoints.api, job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'processor-lost', retryable: true },
    });
    expect(lines).toContainEqual(
      expect.stringMatching(/^execution job_\w+-\w+ is lost: it ran when the runtime ended/),
    );
    await expectNothingLeft(next);
  } finally {
    await next.close();
  }
});
