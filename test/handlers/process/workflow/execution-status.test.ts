import { describe, expect, test } from 'vitest';
import { RefusedError } from '../../../../handlers/errors.ts';
import { ProcessingError } from '../../../../handlers/process/processor.ts';
import { WorkStoppedError } from '../../../../handlers/process/work-stopped.ts';
import { workflowDefinition } from '../../../../infrastructure/workflow-definition.ts';
import { functionArn, run } from '../../../local/workflows/scripted-workflow.ts';
import { WorkflowWorld } from './workflow-world.ts';

const STEPS = ['begin', 'inspect', 'profile', 'merge', 'fail'] as const;
const [begin, inspect, profile, merge, fail] = STEPS.map(functionArn) as [
  string,
  string,
  string,
  string,
  string,
]; // one for each step
const DEFINITION = workflowDefinition(
  { begin, inspect, profile, merge, fail },
  { begin: 25, step: 895, fail: 115, execution: 10_000 },
  5,
);

/** Runs the state machine of the stack on the steps, and tells `fail` of its end as EventBridge does. */
async function execute(world: WorkflowWorld): Promise<string> {
  const answers: Readonly<Record<string, (payload: object) => Promise<unknown>>> = {
    begin: () => world.begin(),
    inspect: async () => ({ ranges: await world.inspect() }),
    profile: (payload) => world.profile((payload as { range: number }).range), // the Map's ItemSelector
    merge: () => world.merge(),
    fail: (payload) => world.fail({ ...payload, execution: world.execution }),
  };
  const { end } = run(DEFINITION, (name, payload) => answers[name]?.(payload as object), world.input);
  const { status } = await end;
  if (status === 'FAILED')
    await world.ended(status, { error: 'WorkflowFailed', cause: 'The history says …' });
  return status;
}

async function failing(error: unknown): Promise<WorkflowWorld> {
  const world = new WorkflowWorld();
  await world.queue();
  world.workspace.read = async () => Promise.reject(error);
  return world;
}

describe('an execution', () => {
  test('that does what it should ends as succeeded', async () => {
    const world = new WorkflowWorld();
    await world.queue();
    expect(await execute(world)).toBe('SUCCEEDED');
    expect((await world.job()).job.status).toBe('succeeded');
  });

  test.each([
    ['a missing grant', new RefusedError('S3', 'AccessDenied'), 'processing-failed'],
    ['a mistake of ours', new TypeError('Cannot read properties of undefined'), 'processing-failed'],
    ['what is thrown and is no error', 'oh', 'processing-failed'],
    ['its time', new WorkStoppedError('time-limit'), 'time-limit'],
  ])('that fails for %s is one that somebody has to look at', async (_, error, code) => {
    const world = await failing(error);
    expect(await execute(world)).toBe('FAILED');
    expect((await world.job()).job).toMatchObject({ status: 'failed', error: { code } });
    expect(world.telemetry.sum('JobsFailed')).toBe(1);
    expect(world.telemetry.messages('error').length).toBeGreaterThan(0);
    expect(world.files).toEqual([]);
  });

  test('that tells a user what is wrong with the file is none', async () => {
    const said = { code: 'not-csv', title: 'This is not CSV', retryable: false };
    const world = await failing(new ProcessingError(said));
    expect(await execute(world)).toBe('SUCCEEDED');
    expect((await world.job()).job).toMatchObject({ status: 'failed', error: said });
    expect(world.telemetry.messages('error')).toEqual([]);
  });

  test('whose job was cancelled is none either', async () => {
    const world = await failing(new Error('not reached'));
    const inspected = world.inspect.bind(world);
    world.inspect = async () => {
      await world.jobs.change(world.record.job.id, { at: world.at(), to: 'cancelled' });
      return inspected();
    };
    expect(await execute(world)).toBe('SUCCEEDED');
    expect((await world.job()).job.status).toBe('cancelled');
  });
});
