import { once } from 'node:events';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { InvocationOutcome } from '../../../local/functions/invocation.ts';
import { startIot } from '../../../local/services/iot.ts';
import type { RunningService } from '../../../local/services/running-service.ts';
import { ManualClock } from '../manual-clock.ts';
import { callingAs, functionAllowed, knowing } from './caller.ts';

const ARN = 'arn:aws:iot:us-east-1:000000000000:';
const publisher = functionAllowed('publisher', ['iot:Publish', 'iot:RetainPublish'], [`${ARN}topic/jobs/*`]);
const teller = functionAllowed('teller', ['iot:Publish'], [`${ARN}topic/jobs/*`]);
const stranger = functionAllowed('stranger', ['iot:Publish'], [`${ARN}topic/other/*`]);

/** An answer that allows one topic. */
const allow = (topic: string, extra: object = {}, receivable = topic) => ({
  isAuthenticated: true,
  principalId: 'p1',
  disconnectAfterInSeconds: 7200,
  refreshAfterInSeconds: 86_400,
  policyDocuments: [
    {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'iot:Connect', Resource: `${ARN}client/*` },
        { Effect: 'Allow', Action: 'iot:Subscribe', Resource: `${ARN}topicfilter/${topic}` },
        { Effect: 'Allow', Action: 'iot:Receive', Resource: `${ARN}topic/${receivable}` },
      ],
    },
  ],
  ...extra,
});

let clock: ManualClock;
let service: RunningService;
let events: unknown[];
let answer: unknown;
let log: string[];
const clients: MqttClient[] = [];

beforeEach(async () => {
  clock = new ManualClock(Date.now());
  events = [];
  log = [];
  answer = allow('jobs/1');
  const authorize = {
    name: 'authorize',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:authorize',
    invoke: async (event: unknown): Promise<InvocationOutcome> => {
      events.push(event);
      if (answer instanceof Error) {
        const error = { errorType: 'Error', errorMessage: answer.message, trace: [] };
        return { kind: 'failed', requestId: '1', error };
      }
      return { kind: 'returned', requestId: '1', payload: answer };
    },
  };
  service = await startIot({
    port: 0,
    authorizers: [{ name: 'tickets', function: authorize }],
    principals: knowing(publisher, teller, stranger),
    clock,
    log: (line) => void log.push(line),
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await service.close();
  expect(clock.pending).toBe(0);
});

function open(options: IClientOptions = {}): MqttClient {
  const client = connect(`ws://127.0.0.1:${service.port}/mqtt`, {
    username: 'jobwire?x-amz-customauthorizer-name=tickets',
    password: 'a secret ticket',
    clientId: 'somebody',
    reconnectPeriod: 0,
    ...options,
  });
  clients.push(client);
  return client;
}

/** Resolves with what the next such event carries; Node's `once` does not take this class for an emitter. */
function next(client: MqttClient, event: 'close' | 'connect' | 'error' | 'message'): Promise<unknown> {
  return new Promise((resolve) => client.once(event, (first?: unknown) => resolve(first)));
}

/** Why a connect was refused. */
async function refusal(options: IClientOptions = {}): Promise<unknown> {
  const error = await next(open(options), 'error');
  return error instanceof Error && 'code' in error ? error.code : error;
}

async function connected(options: IClientOptions = {}): Promise<MqttClient> {
  const client = open(options);
  await next(client, 'connect');
  return client;
}

async function publish(topic: string, payload: string, retain = true, as = publisher): Promise<void> {
  const client = new IoTDataPlaneClient(callingAs(as, service.endpoint));
  await client.send(new PublishCommand({ topic, qos: 1, retain, payload: Buffer.from(payload) }));
}

/** Gathers messages; `next` waits for as many as it names. */
function messagesOf(client: MqttClient): (count: number) => Promise<readonly string[]> {
  const texts: string[] = [];
  client.on('message', (_topic, payload, packet) =>
    texts.push(`${packet.retain ? 'retained ' : ''}${payload}`),
  );
  return async (count) => {
    while (texts.length < count) await next(client, 'message');
    return texts;
  };
}

describe('a client', () => {
  it('shows its credentials to the authorizer that it names, and is told what is retained, then what comes', async () => {
    await publish('jobs/1', 'one');
    const client = await connected();
    const messages = messagesOf(client);
    await client.subscribeAsync('jobs/1', { qos: 1 });
    expect(await messages(1)).toEqual(['retained one']);
    clock.advance(1000);
    await publish('jobs/1', 'two');
    await publish('jobs/1', 'three', false);
    expect(await messages(3)).toEqual(['retained one', 'two', 'three']);
    expect(events).toMatchObject([
      {
        signatureVerified: false,
        protocols: ['tls', 'http', 'mqtt'],
        protocolData: {
          http: { headers: { 'sec-websocket-protocol': 'mqtt' }, queryString: '' },
          mqtt: {
            clientId: 'somebody',
            username: 'jobwire?x-amz-customauthorizer-name=tickets',
            password: Buffer.from('a secret ticket').toString('base64'),
          },
        },
        connectionMetadata: { id: expect.any(String) },
      },
    ]);
  });

  it('is told nothing of a retained message that was emptied', async () => {
    await publish('jobs/1', 'one');
    clock.advance(1000);
    await publish('jobs/1', '');
    const client = await connected();
    const messages = messagesOf(client);
    await client.subscribeAsync('jobs/1', { qos: 1 });
    await publish('jobs/1', 'live', false);
    expect(await messages(1)).toEqual(['live']);
  });

  it.each([
    ['names no authorizer', { username: 'jobwire' }],
    ['names one that there is not', { username: '?x-amz-customauthorizer-name=other' }],
  ])('is refused when it %s', async (_, options) => {
    expect(await refusal(options)).toBe(5);
    expect(events).toEqual([]);
  });

  it.each([
    ['says no', { isAuthenticated: false }],
    ['fails', new Error('bug')],
    ['answers nonsense', 'yes'],
    ['names no principal', allow('jobs/1', { principalId: 'with-hyphen' })],
    ['allows for too short a time', allow('jobs/1', { disconnectAfterInSeconds: 10 })],
    ['allows no connect', allow('jobs/1', { policyDocuments: [] })],
    ['has a policy that is none', allow('jobs/1', { policyDocuments: ['{'] })],
  ])('is refused when the authorizer %s, and no log says with which ticket', async (_, given) => {
    answer = given;
    expect(await refusal()).toBe(5);
    expect(log).toHaveLength(1);
    expect(log.join()).not.toMatch(/secret|c2VjcmV0/);
  });

  it('is refused by MQTT 5, which aedes does not speak, and with an id of more than 128 bytes', async () => {
    expect(await refusal({ protocolVersion: 5 })).toBe(1);
    expect(await refusal({ clientId: 'x'.repeat(129) })).toBe(2);
  });

  it('may put the authorizer into the URL', async () => {
    const client = connect(
      `ws://127.0.0.1:${service.port}/mqtt?x-amz-customauthorizer-name=tickets&ticket=t`,
      {
        clientId: 'b',
        reconnectPeriod: 0,
      },
    );
    clients.push(client);
    await next(client, 'connect');
    expect(events).toMatchObject([
      {
        protocolData: {
          http: { queryString: '?x-amz-customauthorizer-name=tickets&ticket=t' },
          mqtt: { clientId: 'b' },
        },
      },
    ]);
  });

  it('gets a failure for a topic that it may not subscribe to, and keeps the connection', async () => {
    const client = await connected();
    for (const topic of ['jobs/2', 'jobs/+', '#']) {
      await expect(client.subscribeAsync(topic, { qos: 1 })).rejects.toMatchObject({
        packet: { granted: [128] },
      });
    }
    await client.subscribeAsync('jobs/1', { qos: 1 });
    expect(client.connected).toBe(true);
  });

  it('hears only what it may receive', async () => {
    await publish('jobs/1', 'kept from it');
    answer = allow('jobs/*', {}, 'jobs/2');
    const client = await connected();
    const messages = messagesOf(client);
    await client.subscribeAsync('jobs/#', { qos: 1 });
    await publish('jobs/3', 'kept from it', false);
    await publish('jobs/2', 'two', false);
    expect(await messages(1)).toEqual(['two']);
  });

  it.each([
    ['publishes', (client: MqttClient) => client.publish('jobs/1', 'mine', { qos: 1 })],
    ['subscribes with QoS 2', (client: MqttClient) => client.subscribe('jobs/1', { qos: 2 })],
    ['subscribes to what is reserved', (client: MqttClient) => client.subscribe('$SYS/#')],
  ])('is cut off when it %s', async (_, act) => {
    const watcher = await connected({ clientId: 'watcher' });
    const messages = messagesOf(watcher);
    await watcher.subscribeAsync('jobs/1', { qos: 1 });
    const client = await connected();
    const closed = next(client, 'close');
    act(client);
    await closed;
    await publish('jobs/1', 'after', false);
    expect(await messages(1)).toEqual(['after']);
  });

  it('is disconnected when its time is up', async () => {
    const client = await connected();
    const closed = next(client, 'close');
    clock.advance(7_199_000);
    expect(client.connected).toBe(true);
    clock.advance(1000);
    await closed;
  });

  it('is asked about again when that is due, and cut off when it is refused then', async () => {
    answer = allow('jobs/1', { refreshAfterInSeconds: 300 });
    const client = await connected();
    clock.advance(300_000);
    await expect.poll(() => events.length).toBe(2);
    expect(events[1]).toEqual(events[0]);
    expect(client.connected).toBe(true);
    await expect.poll(() => clock.pending).toBe(2); // the end, and the next refresh
    answer = { isAuthenticated: false };
    const closed = next(client, 'close');
    clock.advance(300_000);
    await closed;
  });

  it('must offer the subprotocol, at /mqtt', async () => {
    for (const [path, protocols] of [
      ['/mqtt', []],
      ['/', ['mqtt']],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${service.port}${path}`, [...protocols]);
      const [error] = await once(socket, 'error');
      expect(String(error)).toContain('400');
    }
  });
});

describe('publishing', () => {
  it('needs the grants of the topic, and one more to retain', async () => {
    const error = { name: 'ForbiddenException', $metadata: { httpStatusCode: 403 } };
    await expect(publish('jobs/1', 'x', false, stranger)).rejects.toMatchObject(error);
    await expect(publish('jobs/1', 'x', true, teller)).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining('iot:RetainPublish'),
    });
    await publish('jobs/1', 'x', false, teller);
    const forged = { ...publisher, secretAccessKey: 'x'.repeat(40) };
    await expect(publish('jobs/1', 'x', false, forged)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });

  it('retains one message a topic and second', async () => {
    await publish('jobs/1', 'one');
    await publish('jobs/2', 'one');
    await expect(publish('jobs/1', 'two')).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
    clock.advance(1000);
    await publish('jobs/1', 'two');
  });

  it.each([
    ['a wildcard', 'jobs/+', 'x', 400],
    ['too deep a topic', 'jobs/1/2/3/4/5/6/7/8', 'x', 400],
    ['too large a message', 'jobs/1', 'x'.repeat(131_073), 413],
  ])('refuses %s', async (_, topic, payload, status) => {
    await expect(publish(topic, payload)).rejects.toMatchObject({ $metadata: { httpStatusCode: status } });
  });

  it('takes a message of 128 KB', async () => {
    const client = await connected();
    const messages = messagesOf(client);
    await client.subscribeAsync('jobs/1', { qos: 1 });
    await publish('jobs/1', 'x'.repeat(131_072));
    expect((await messages(1))[0]).toHaveLength(131_072);
  });
});
