import { describe, expect, test } from 'vitest';
import { readFailure, readRangeStep, readStep } from '../../../../handlers/aws/workflow-event.ts';
import { MalformedDataError, UnavailableError } from '../../../../handlers/errors.ts';
import {
  jobErrorOfFailure,
  WORKFLOW_TIME_LIMIT_ERROR,
} from '../../../../handlers/process/workflow/execution-failure.ts';
import { JobFailed } from '../../../../handlers/process/workflow/step-errors.ts';
import { WorkflowWorld } from './workflow-world.ts';

const SAID = { code: 'not-csv', title: 'This is not CSV', detail: 'Row 3', retryable: false };

async function running(): Promise<WorkflowWorld> {
  const world = new WorkflowWorld();
  await world.queue();
  await world.toMap();
  return world;
}

describe('what a job says of a failure', () => {
  const thrown = (errorMessage: string) =>
    JSON.stringify({ errorType: 'JobFailed', errorMessage, trace: [] });

  test.each([
    ['as Lambda writes it', thrown(JSON.stringify(SAID))],
    ['as it is', JSON.stringify(SAID)],
  ])('is what the step said, %s', (_, cause) => {
    expect(jobErrorOfFailure({ error: 'JobFailed', cause })).toEqual(SAID);
  });

  test.each([
    undefined,
    '',
    '{',
    '[]',
    thrown('{'),
    thrown('{"code":""}'),
    thrown(JSON.stringify({ ...SAID, detail: 'x'.repeat(5_000) })),
  ])('is processing-failed where that cannot be read: %s', (cause) => {
    const failure = cause === undefined ? { error: 'JobFailed' } : { error: 'JobFailed', cause };
    expect(jobErrorOfFailure(failure)).toMatchObject({ code: 'processing-failed', retryable: false });
  });

  test.each([
    ['States.Timeout', 'time-limit', false],
    ['StepTimedOut', 'time-limit', false],
    ['StepFailed', 'processing-failed', false],
    ['Sandbox.Timedout', 'time-limit', false],
    ['Lambda.Unknown', 'processor-lost', true],
    ['Lambda.TooManyRequestsException', 'processor-lost', true],
    ['Runtime.ExitError', 'processor-lost', true],
    ['Runtime.OutOfMemory', 'processor-lost', true],
    ['UnavailableError', 'processor-lost', true],
    ['ABORTED', 'processor-lost', true],
    ['StepStopped', 'processor-lost', true],
    ['States.DataLimitExceeded', 'processing-failed', false],
    ['States.Runtime', 'processing-failed', false],
    ['TypeError', 'processing-failed', false],
    ['constructor', 'processing-failed', false],
  ])('of %s is %s', (error, code, retryable) => {
    expect(jobErrorOfFailure({ error, cause: 'a secret' })).toMatchObject({ code, retryable });
    expect(JSON.stringify(jobErrorOfFailure({ error, cause: 'a secret' }))).not.toContain('secret');
  });
});

describe('events', () => {
  const step = {
    job: 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA',
    epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZB',
    execution: 'e-1',
  };
  const { execution, ...work } = step;
  const status = (detail: object) => ({
    version: '0',
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    detail: {
      executionArn: 'arn:aws:states:us-east-1:123456789012:execution:Workflow:e-1',
      stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Workflow',
      name: execution,
      status: 'FAILED',
      input: JSON.stringify(work),
      ...detail,
    },
  });

  test('of steps', () => {
    expect(readStep({ ...step, more: 1 })).toEqual(step);
    expect(readRangeStep({ ...step, range: 3 })).toEqual({ ...step, range: 3 });
    for (const bad of [null, {}, work, { ...step, job: 'x' }, { ...step, execution: '../x' }])
      expect(() => readStep(bad)).toThrow(MalformedDataError);
    for (const range of [undefined, -1, 0.5, '1'])
      expect(() => readRangeStep({ ...step, range })).toThrow(MalformedDataError);
  });

  test('of failures, by Catch and by EventBridge', () => {
    expect(readFailure({ ...step, error: { Error: 'States.Timeout', Cause: '' } })).toEqual({
      ...step,
      failure: { error: 'States.Timeout', cause: '' },
    });
    expect(readFailure(status({}))).toEqual({ ...step, failure: { error: 'States.TaskFailed' } });
    expect(readFailure(status({ error: 'States.Runtime', cause: 'x' }))).toEqual({
      ...step,
      failure: { error: 'States.Runtime', cause: 'x' },
    });
    expect(readFailure(status({ status: 'TIMED_OUT', error: null })).failure.error).toBe('States.Timeout');
    expect(readFailure(status({ status: 'ABORTED', error: 'Stopped' })).failure.error).toBe('ABORTED');
    for (const bad of [
      null,
      step,
      { ...step, error: 'x' },
      status({ input: '{' }),
      status({ input: '{}' }),
      status({ input: null }),
      status({ status: 'SUCCEEDED' }),
      status({ name: '../..' }),
    ])
      expect(() => readFailure(bad)).toThrow(MalformedDataError);
  });
});

describe('an execution that failed', () => {
  test('ends its job once, and its files are removed, however often it is told', async () => {
    const world = await running();
    await world.caught(new JobFailed(SAID));
    const { job } = await world.job();
    expect(job).toMatchObject({ status: 'failed', error: SAID });
    expect(world.files).toEqual([]);
    await world.ended('FAILED', { error: 'JobFailed', cause: 'x' });
    await world.ended('TIMED_OUT');
    expect((await world.job()).job).toEqual(job);
    expect(world.telemetry.sum('JobsFailed')).toBe(1);
  });

  test('that no Catch saw to', async () => {
    for (const [status, code] of [
      ['ABORTED', 'processor-lost'],
      ['TIMED_OUT', WORKFLOW_TIME_LIMIT_ERROR.code],
      ['FAILED', 'processing-failed'],
    ] as const) {
      const world = await running();
      await world.ended(status, status === 'FAILED' ? { error: 'States.DataLimitExceeded' } : {});
      const { job, ranges } = await world.job();
      expect(job).toMatchObject({ status: 'failed', error: { code } });
      expect(ranges).toBeUndefined();
      expect(world.files).toEqual([]);
    }
  });

  test('before it had its job fails the job all the same: no other execution will come', async () => {
    const world = new WorkflowWorld();
    await world.queue();
    await world.ended('ABORTED');
    expect((await world.job()).job).toMatchObject({ status: 'failed', error: { code: 'processor-lost' } });
  });

  test('leaves a job alone that is not its own', async () => {
    const world = new WorkflowWorld();
    await world.queue();
    const byHand = { job: world.input.job, epoch: world.input.epoch, execution: 'by-hand' };
    const failure = { error: { Error: 'Lambda.Unknown', Cause: '' } };
    await world.fail({ ...byHand, ...failure });
    expect((await world.job()).job.status).toBe('queued');
    await world.begin();
    await world.fail({ ...byHand, ...failure });
    await world.fail({
      ...byHand,
      epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZZ',
      execution: world.execution,
      ...failure,
    });
    expect((await world.job()).job.status).toBe('running');
    world.jobs.forget(world.input.job);
    expect(await world.ended('FAILED')).toEqual({});
  });

  test('while begin takes the job at the same moment still ends it', async () => {
    const world = new WorkflowWorld();
    await world.queue();
    let first = true;
    world.jobs.before = async () => {
      if (!first) return undefined;
      first = false;
      await world.begin();
      return undefined;
    };
    await world.ended('TIMED_OUT');
    expect((await world.job()).job).toMatchObject({ status: 'failed', error: { code: 'time-limit' } });
  });

  test('is told again while the table or the files are away', async () => {
    const world = await running();
    world.timeout = 30_000;
    world.jobs.before = async () => new UnavailableError('DynamoDB');
    await expect(world.whileTimePasses(() => world.ended('ABORTED'))).rejects.toBeInstanceOf(
      UnavailableError,
    );
    expect(world.files).not.toEqual([]);
    world.jobs.before = async () => undefined;
    await world.ended('ABORTED');
    expect(world.files).toEqual([]);
  });
});
