import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IotBroker } from '../../handlers/aws/iot-broker.ts';
import { MemoryBroker } from '../../handlers/memory/memory-broker.ts';
import { systemClock } from '../../local/clock.ts';
import { functionPrincipal, Principals } from '../../local/permissions/principal.ts';
import { startIot } from '../../local/services/iot.ts';
import type { RunningService } from '../../local/services/running-service.ts';
import { broadcastTopic } from '../../protocol/broadcast.ts';
import { describeBroker } from './broker-suite.ts';

const ARN = 'arn:aws:iot:us-east-1:000000000000:';
const publisher = functionPrincipal({
  functionName: 'publish',
  rootSecret: 'conformance',
  statements: [
    {
      effect: 'Allow',
      actions: ['iot:Publish', 'iot:RetainPublish'],
      resources: [`${ARN}topic/jobwire/jobs/*`],
    },
  ],
});

let service: RunningService;
const clients: MqttClient[] = [];
const saved = { ...process.env };
beforeAll(async () => {
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: publisher.accessKeyId,
    AWS_SECRET_ACCESS_KEY: publisher.secretAccessKey,
  });
  service = await startIot({
    port: 0,
    authorizers: [{ name: 'everything', function: everything }],
    principals: new Principals([publisher]),
    clock: systemClock,
    log: () => undefined,
  });
});
afterAll(async () => {
  process.env = saved;
  for (const client of clients) client.end(true);
  await service.close();
});

/** An authorizer that lets everybody subscribe to everything. */
const everything = {
  name: 'everything',
  arn: 'arn:aws:lambda:us-east-1:000000000000:function:everything',
  invoke: async () => ({
    kind: 'returned' as const,
    requestId: '1',
    payload: {
      isAuthenticated: true,
      principalId: 'tester',
      disconnectAfterInSeconds: 300,
      refreshAfterInSeconds: 300,
      policyDocuments: [
        { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] },
      ],
    },
  }),
};

describeBroker('memory', async () => {
  const broker = new MemoryBroker();
  return { broker, subscribe: async (job, receive) => broker.subscribe(job, receive) };
});

describeBroker('IoT Core', async () => ({
  broker: new IotBroker({ endpoint: service.endpoint }),
  subscribe: async (job, receive) => {
    const client = await connectAsync(`ws://127.0.0.1:${service.port}/mqtt`, {
      username: '?x-amz-customauthorizer-name=everything',
    });
    clients.push(client);
    client.on('message', (_topic, payload) => receive(payload.toString()));
    await client.subscribeAsync(broadcastTopic(job), { qos: 1 });
  },
}));

describe('what else IoT Core answers', () => {
  const failureOf = async (status: number | 'nothing' | 'reset', type = 'X'): Promise<unknown> => {
    let requests = 0;
    const server = createServer((request, response) => {
      requests += 1;
      if (status === 'reset') request.socket.resetAndDestroy();
      else if (status !== 'nothing') response.writeHead(status, { 'x-amzn-ErrorType': type }).end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a TCP server has one
    try {
      await new IotBroker({ endpoint: `http://127.0.0.1:${port}` }).publish('job_1', 'x', { retain: true });
      return undefined;
    } catch (error) {
      return { error, requests };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it.each([
    [429, 'ThrottlingException', { name: 'UnavailableError', throttled: true }],
    [400, 'ThrottlingException', { name: 'UnavailableError', throttled: true }],
    [500, 'InternalFailureException', { name: 'UnavailableError', throttled: false }],
    [503, 'ServiceUnavailableException', { name: 'UnavailableError', throttled: false }],
    ['reset', '', { name: 'UnavailableError', throttled: false }],
    ['nothing', '', { name: 'UnavailableError', throttled: false }],
    [403, 'ForbiddenException', { name: 'RefusedError' }],
    [400, 'InvalidRequestException', { name: 'RefusedError' }],
  ] as const)('%s %s, once', async (status, type, error) => {
    expect(await failureOf(status, type)).toMatchObject({ error, requests: 1 });
  });
});
