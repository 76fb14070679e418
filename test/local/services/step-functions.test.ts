import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import * as library from 'aws-local-stepfunctions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../local/clock.ts';
import { buildExecutionStatusEvent } from '../../../local/events/execution-status-event.ts';
import type { Principal } from '../../../local/permissions/principal.ts';
import { startStepFunctions } from '../../../local/services/step-functions.ts';
import { parseDefinition } from '../../../local/workflows/definition.ts';
import { type Execution, ExecutionStore } from '../../../local/workflows/execution-store.ts';
import { Executions } from '../../../local/workflows/executions.ts';
import { prepare } from '../../../local/workflows/machine.ts';
import { ScriptedFunction } from '../events/scripted-function.ts';
import { failure, type Gate, task } from '../workflows/scripted-workflow.ts';
import { callingAs, functionAllowed, knowing, owner } from './caller.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:work';
const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:work:job-1';
const starter = functionAllowed('starter', ['states:StartExecution'], [MACHINE]);
const stopper = functionAllowed('stopper', ['states:StopExecution'], [EXECUTION]);

/** One state, which lasts until its gate is opened. */
const DEFINITION = { StartAt: 'Work', States: { Work: task('work') } };

interface Running {
  readonly executions: Executions;
  /** Every start and end. */
  readonly told: readonly Execution[];
  readonly lines: readonly string[];
  readonly gate: Gate;
  client(principal?: Principal): SFNClient;
  close(): Promise<void>;
}

function stateFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'jobwire-executions-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(folder = stateFolder(), now = Date.now()): Promise<Running> {
  const told: Execution[] = [];
  const lines: string[] = [];
  const gate: Gate = Promise.withResolvers();
  gate.promise.catch(() => undefined); // a test may reject it before a state waits for it
  const store = new ExecutionStore(path.join(folder, 'executions.sqlite'), now);
  const executions = new Executions({
    library,
    stateMachines: [
      {
        arn: MACHINE,
        name: 'work',
        roleArn: 'arn:aws:iam::000000000000:role/work',
        machine: prepare(parseDefinition(DEFINITION)),
      },
    ],
    store,
    invoke: (_, payload) => new ScriptedFunction(() => gate.promise).invoke(payload),
    onStatus: (execution) => told.push(execution),
    clock: systemClock,
    log: (line) => lines.push(line),
  });
  const service = await startStepFunctions({
    port: 0,
    executions,
    principals: knowing(starter, stopper),
    clock: systemClock,
    log: (line) => lines.push(line),
  });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await executions.close();
    await service.close();
    store.close();
  };
  onTestFinished(close);
  const client = (principal = owner) => new SFNClient(callingAs(principal, service.endpoint));
  return { executions, told, lines, gate, client, close };
}

const startOf = (name?: string, input?: string) =>
  new StartExecutionCommand({
    stateMachineArn: MACHINE,
    ...(name === undefined ? {} : { name }),
    ...(input === undefined ? {} : { input }),
  });

/** The execution once it has ended. */
async function end(running: Running): Promise<Execution> {
  for (;;) {
    const ended = running.told.find(({ status }) => status !== 'RUNNING');
    if (ended !== undefined) return ended;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('Step Functions', () => {
  it('starts, describes and lists executions', async () => {
    const running = await start();
    const client = running.client();
    const started = await client.send(startOf('job-1', '{"job":"1"}'));
    expect(started.executionArn).toBe(EXECUTION);
    expect(started.startDate?.getTime()).toBe(running.told[0]?.startedAt);
    const description = await client.send(new DescribeExecutionCommand({ executionArn: EXECUTION }));
    expect(description).toMatchObject({ status: 'RUNNING', name: 'job-1', input: '{"job":"1"}' });
    expect(description.stopDate).toBeUndefined();
    running.gate.resolve({ done: true });
    await end(running);
    expect(await client.send(new DescribeExecutionCommand({ executionArn: EXECUTION }))).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"done":true}',
    });
    const { executionArn } = await client.send(startOf());
    const list = (fields: object) =>
      client.send(new ListExecutionsCommand({ stateMachineArn: MACHINE, ...fields }));
    await expect.poll(async () => (await list({ statusFilter: 'RUNNING' })).executions).toEqual([]);
    const first = await list({ maxResults: 1 });
    expect(first.executions).toMatchObject([{ executionArn, status: 'SUCCEEDED' }]);
    const second = await list({ maxResults: 1, nextToken: first.nextToken });
    expect(second.executions).toMatchObject([{ executionArn: EXECUTION }]);
    expect(second.nextToken).toBeUndefined();
  });

  it('finds the execution of the same name and input while it runs, and refuses the name from then on', async () => {
    const running = await start();
    const client = running.client(starter);
    const first = await client.send(startOf('job-1', '{"job":"1"}'));
    expect(await client.send(startOf('job-1', '{"job":"1"}'))).toMatchObject({
      executionArn: EXECUTION,
      startDate: first.startDate,
    });
    const taken = { name: 'ExecutionAlreadyExists', message: `Execution Already Exists: '${EXECUTION}'` };
    await expect(client.send(startOf('job-1', '{"job":"2"}'))).rejects.toMatchObject(taken);
    running.gate.resolve({});
    await end(running);
    await expect(client.send(startOf('job-1', '{"job":"1"}'))).rejects.toMatchObject(taken);
    expect(running.told.map(({ status }) => status)).toEqual(['RUNNING', 'SUCCEEDED']);
  });

  it('stops an execution, which drops what its function says, and leaves one alone that has ended', async () => {
    const running = await start();
    await running.client().send(startOf('job-1'));
    const stop = new StopExecutionCommand({
      executionArn: EXECUTION,
      error: 'Cancelled',
      cause: 'asked for',
    });
    const { stopDate } = await running.client(stopper).send(stop);
    running.gate.resolve({});
    expect(await end(running)).toMatchObject({ status: 'ABORTED', error: 'Cancelled', cause: 'asked for' });
    expect(await running.client(stopper).send(stop)).toMatchObject({ stopDate });
    expect(running.told.map(({ status }) => status)).toEqual(['RUNNING', 'ABORTED']);
  });

  it('tells what a function error was', async () => {
    const running = await start();
    running.gate.reject(failure('JobFailed', 'no'));
    await running.client().send(startOf('job-1'));
    await end(running);
    const description = await running
      .client()
      .send(new DescribeExecutionCommand({ executionArn: EXECUTION }));
    expect(description).toMatchObject({ status: 'FAILED', error: 'JobFailed' });
    expect(JSON.parse(description.cause ?? '')).toEqual({
      errorType: 'JobFailed',
      errorMessage: 'no',
      trace: [],
    });
    expect(running.lines).toContain(`execution job-1 FAILED JobFailed: ${description.cause}`);
  });

  it.each([
    [startOf('job 1'), 'InvalidName'],
    [startOf('job:1'), 'InvalidName'],
    [startOf('x'.repeat(81)), 'InvalidName'],
    [startOf('job-1', '{"job"'), 'InvalidExecutionInput'],
    [startOf('job-1', JSON.stringify('x'.repeat(262_143))), 'ValidationException'],
    [new StartExecutionCommand({ stateMachineArn: `${MACHINE}-2` }), 'StateMachineDoesNotExist'],
    [new ListExecutionsCommand({ stateMachineArn: `${MACHINE}-2` }), 'StateMachineDoesNotExist'],
    [new StopExecutionCommand({ executionArn: EXECUTION }), 'ExecutionDoesNotExist'],
    [new DescribeExecutionCommand({ executionArn: EXECUTION }), 'ExecutionDoesNotExist'],
    [new StopExecutionCommand({ executionArn: EXECUTION, error: 'x'.repeat(257) }), 'ValidationException'],
    [new ListStateMachinesCommand({}), 'UnknownOperationException'],
  ])('refuses %# with %s', async (command, name) => {
    const running = await start();
    // Each command is one that the client sends; together they have no overload.
    const sent = running.client().send(command as DescribeExecutionCommand);
    await expect(sent).rejects.toMatchObject({ name });
    expect(running.told).toEqual([]);
  });

  it('takes what is just within the limits', async () => {
    const running = await start();
    const input = JSON.stringify('x'.repeat(262_142));
    const { executionArn } = await running.client().send(startOf('x'.repeat(80), input));
    expect(executionArn).toBe(EXECUTION.replace('job-1', 'x'.repeat(80)));
  });

  it('refuses whoever the role does not allow, before it says what exists', async () => {
    const running = await start();
    await running.client().send(startOf('job-1'));
    const denied = { name: 'AccessDeniedException' };
    await expect(running.client(stopper).send(startOf('job-2'))).rejects.toMatchObject(denied);
    const stop = (executionArn: string) => new StopExecutionCommand({ executionArn });
    await expect(running.client(starter).send(stop(EXECUTION))).rejects.toMatchObject(denied);
    await expect(running.client(stopper).send(stop(`${EXECUTION}0`))).rejects.toMatchObject(denied);
    const stranger = { ...owner, secretAccessKey: 'another' };
    await expect(running.client(stranger).send(startOf('job-2'))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    expect(running.told).toHaveLength(1);
  });
});

describe('a restart', () => {
  it('ends what ran, says so, and remembers every name', async () => {
    const folder = stateFolder();
    const before = await start(folder);
    await before.client().send(startOf('job-1', '{"job":"1"}'));
    await before.close();
    expect(before.told.map(({ status }) => status)).toEqual(['RUNNING']);
    expect(before.lines).toEqual(['execution job-1 ends with the runtime']);

    const after = await start(folder);
    after.executions.tellOfLost();
    expect(after.told).toMatchObject([{ arn: EXECUTION, status: 'ABORTED', error: undefined }]);
    expect(after.lines[0]).toBe(
      'execution job-1 is lost: it ran when the runtime ended, and does not survive that',
    );
    await expect(after.client().send(startOf('job-1', '{"job":"1"}'))).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
    });
    await after.close();
    const later = await start(folder);
    later.executions.tellOfLost();
    expect(later.told).toEqual([]);
  });

  it('forgets a name 90 days after the end', async () => {
    const folder = stateFolder();
    const before = await start(folder);
    before.gate.resolve({});
    await before.client().send(startOf('job-1'));
    const { stoppedAt = 0 } = await end(before);
    await before.close();
    const days = 24 * 60 * 60_000;
    const soon = await start(folder, stoppedAt + 90 * days);
    await expect(soon.client().send(startOf('job-1'))).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
    });
    await soon.close();
    const late = await start(folder, stoppedAt + 90 * days + 1);
    expect(await late.client().send(startOf('job-1'))).toMatchObject({ executionArn: EXECUTION });
  });
});

describe('the event of a change', () => {
  const execution: Execution = {
    arn: EXECUTION,
    stateMachineArn: MACHINE,
    name: 'job-1',
    status: 'FAILED',
    startedAt: 1_551_225_146_847,
    stoppedAt: 1_551_225_151_881,
    input: '{"job":"1"}',
    output: undefined,
    error: 'JobFailed',
    cause: '{}',
  };

  it('is the one of EventBridge', () => {
    const { id, ...event } = buildExecutionStatusEvent(execution);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(event).toEqual({
      version: '0',
      'detail-type': 'Step Functions Execution Status Change',
      source: 'aws.states',
      account: '000000000000',
      time: '2019-02-26T23:52:31Z',
      region: 'us-east-1',
      resources: [EXECUTION],
      detail: {
        executionArn: EXECUTION,
        stateMachineArn: MACHINE,
        name: 'job-1',
        status: 'FAILED',
        startDate: 1_551_225_146_847,
        stopDate: 1_551_225_151_881,
        input: '{"job":"1"}',
        output: null,
        inputDetails: { included: true },
        outputDetails: null,
        error: 'JobFailed',
        cause: '{}',
        stateMachineVersionArn: null,
        stateMachineAliasArn: null,
        redriveCount: 0,
        redriveDate: null,
        redriveStatus: 'REDRIVABLE',
        redriveStatusReason: null,
      },
    });
  });

  it('leaves out what is too large for it', () => {
    const input = JSON.stringify('x'.repeat(248 * 1024));
    expect(buildExecutionStatusEvent({ ...execution, input }).detail).toMatchObject({
      input: null,
      inputDetails: { included: false },
    });
  });
});
