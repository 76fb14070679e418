import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkflowExecutions } from '../../../handlers/aws/workflow-executions.ts';
import { MalformedDataError } from '../../../handlers/errors.ts';

const ARN = 'arn:aws:states:eu-central-1:123456789012:stateMachine:Workflow-1a';
const WORK = { job: 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA', epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZB' };
const NAME = `${WORK.job}-${WORK.epoch}`;

let answer: { readonly status: number; readonly body: object };
let asked: { readonly target: string | undefined; readonly body: unknown }[];
let server: Server;
let client: SFNClient;
let machine: WorkflowExecutions;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const target = request.headers['x-amz-target'];
    asked.push({ target: [target].flat()[0], body: await json(request) });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  client = new SFNClient({
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  machine = new WorkflowExecutions({ client: () => client, stateMachineArn: ARN });
});
afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
beforeEach(() => {
  asked = [];
  answer = { status: 200, body: { startDate: 1, stopDate: 1, executionArn: 'x' } };
});

const refusing = (status: number, type: string) => {
  answer = { status, body: { __type: `com.amazonaws.states#${type}`, message: 'no' } };
};

describe('the state machine', () => {
  it('is started under the name of the job and its epoch', async () => {
    await machine.send([WORK]);
    expect(asked).toEqual([
      {
        target: 'AWSStepFunctions.StartExecution',
        body: { stateMachineArn: ARN, name: NAME, input: JSON.stringify(WORK) },
      },
    ]);
    expect(NAME).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
  });

  it('is started already where there is an execution of that name', async () => {
    refusing(400, 'ExecutionAlreadyExists');
    await machine.send([WORK]);
    expect(asked).toHaveLength(1);
  });

  it('has its execution stopped, and none to stop is none to stop', async () => {
    await machine.stop(WORK);
    expect(asked).toMatchObject([
      {
        target: 'AWSStepFunctions.StopExecution',
        body: {
          executionArn: `arn:aws:states:eu-central-1:123456789012:execution:Workflow-1a:${NAME}`,
        },
      },
    ]);
    refusing(400, 'ExecutionDoesNotExist');
    await machine.stop(WORK);
  });

  it.each([
    [400, 'ThrottlingException', 'UnavailableError'],
    [400, 'ExecutionLimitExceeded', 'UnavailableError'],
    [500, 'InternalFailure', 'UnavailableError'],
    [503, 'ServiceUnavailable', 'UnavailableError'],
    [400, 'StateMachineDoesNotExist', 'RefusedError'],
    [400, 'AccessDeniedException', 'RefusedError'],
  ])('%i %s is %s', async (status, type, name) => {
    refusing(status, type);
    await expect(machine.send([WORK])).rejects.toMatchObject({ name, cause: expect.anything() });
    await expect(machine.stop(WORK)).rejects.toMatchObject({ name, cause: expect.anything() });
  });

  it('is not made of what is no ARN of one', () => {
    for (const stateMachineArn of ['', 'Workflow', ARN.replace('stateMachine', 'execution')])
      expect(() => new WorkflowExecutions({ client, stateMachineArn })).toThrow(MalformedDataError);
  });
});
