import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { QueueEventRecord } from '../../../local/events/queue-event.ts';
import {
  QueueEventSourceMapping,
  type QueueEventSourceMappingSettings,
} from '../../../local/events/queue-event-source-mapping.ts';
import { ScriptedFunction, throttled } from './scripted-function.ts';

let server: FauxqsServer;
let client: SQSClient;
beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  client = createClient();
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

function createClient(): SQSClient {
  return new SQSClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${server.port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

interface Queue {
  readonly name: string;
  readonly queueUrl: string;
  readonly queueArn: string;
}

function createQueue(attributes: Record<string, string> = {}): Queue {
  const name = `deliveries-${randomUUID()}`;
  return { name, ...server.createQueue(name, { attributes }) };
}

function start(
  { queueUrl, queueArn }: Queue,
  target: ScriptedFunction,
  settings: Partial<QueueEventSourceMappingSettings> = {},
): QueueEventSourceMapping {
  const mapping = new QueueEventSourceMapping({
    client,
    queueUrl,
    queueArn,
    target,
    log: () => {},
    ...settings,
  });
  onTestFinished(() => mapping.close());
  return mapping;
}

function records(event: unknown): QueueEventRecord[] {
  return (event as { Records: QueueEventRecord[] }).Records;
}

function bodies(target: ScriptedFunction): string[] {
  return target.events.flatMap(records).map(({ body }) => body);
}

function isEmpty({ name }: Queue): boolean {
  const messages = server.inspectQueue(name)?.messages;
  return messages !== undefined && Object.values(messages).every((list) => list.length === 0);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('a message arrives at once, in the form of a Lambda event, and is deleted', async () => {
  const queue = createQueue();
  const target = new ScriptedFunction();
  start(queue, target);
  await client.send(
    new SendMessageCommand({
      QueueUrl: queue.queueUrl,
      MessageBody: 'hello',
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 'x' },
        bytes: { DataType: 'Binary', BinaryValue: Buffer.from('hello') },
      },
    }),
  );
  const sentAt = performance.now();
  await until(() => target.events.length > 0);
  expect(performance.now() - sentAt).toBeLessThan(500);
  expect(target.events).toEqual([
    {
      Records: [
        {
          messageId: expect.any(String),
          receiptHandle: expect.any(String),
          body: 'hello',
          attributes: expect.objectContaining({
            ApproximateReceiveCount: '1',
            SentTimestamp: expect.stringMatching(/^\d{13}$/),
            SenderId: expect.any(String),
            ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          }),
          messageAttributes: {
            text: { stringValue: 'x', stringListValues: [], binaryListValues: [], dataType: 'String' },
            bytes: {
              binaryValue: 'aGVsbG8=',
              stringListValues: [],
              binaryListValues: [],
              dataType: 'Binary',
            },
          },
          md5OfBody: '5d41402abc4b2a76b9719d911017c592',
          eventSource: 'aws:sqs',
          eventSourceARN: queue.queueArn,
          awsRegion: 'us-east-1',
        },
      ],
    },
  ]);
  await until(() => isEmpty(queue));
});

describe('what fails', () => {
  test('stays in the queue for its visibility time-out, and then comes again', async () => {
    const queue = createQueue({ VisibilityTimeout: '1' });
    const target = new ScriptedFunction((_, call) => {
      if (call === 1) throw new Error('no');
    });
    start(queue, target);
    server.sendMessage(queue.name, 'x');
    const sentAt = performance.now();
    await until(() => target.events.length === 2);
    expect(performance.now() - sentAt).toBeGreaterThan(900);
    expect(
      target.events.flatMap(records).map(({ attributes }) => attributes['ApproximateReceiveCount']),
    ).toEqual(['1', '2']);
    await until(() => isEmpty(queue));
  });

  test('alone stays, the others of the batch are deleted', async () => {
    const queue = createQueue();
    for (const body of ['a', 'b', 'c']) server.sendMessage(queue.name, body);
    const target = new ScriptedFunction((event) => ({
      batchItemFailures: records(event)
        .filter(({ body }) => body === 'b')
        .map(({ messageId }) => ({ itemIdentifier: messageId })),
    }));
    start(queue, target, { reportBatchItemFailures: true });
    const left = () => server.inspectQueue(queue.name)?.messages.inflight.map(({ message }) => message.body);
    await until(() => target.events.length > 0 && left()?.length === 1);
    expect(left()).toEqual(['b']);
  });

  test('a malformed batch response keeps them all', async () => {
    const queue = createQueue();
    server.sendMessage(queue.name, 'a');
    const lines: string[] = [];
    const target = new ScriptedFunction(() => ({ batchItemFailures: [{ itemIdentifier: '' }] }));
    const log = (line: string) => lines.push(line);
    const mapping = start(queue, target, { reportBatchItemFailures: true, log });
    await until(() => lines.length > 0);
    await mapping.close();
    expect(isEmpty(queue)).toBe(false);
  });

  test('a throttled function loses nothing', async () => {
    const queue = createQueue({ VisibilityTimeout: '1' });
    server.sendMessage(queue.name, 'a');
    const target = new ScriptedFunction((_, call) => {
      if (call === 1) throw throttled();
    });
    start(queue, target);
    await until(() => target.events.length === 2);
    await until(() => isEmpty(queue));
  });
});

describe('batches', () => {
  test('take what is there up to BatchSize', async () => {
    const queue = createQueue();
    for (let index = 0; index < 7; index += 1) server.sendMessage(queue.name, String(index));
    const target = new ScriptedFunction();
    start(queue, target, { batchSize: 5, maximumConcurrency: 2 });
    await until(() => bodies(target).length === 7);
    expect(target.events.map((event) => records(event).length).sort()).toEqual([2, 5]);
  });

  test('a window fills them beyond one receive', async () => {
    const queue = createQueue();
    for (let index = 0; index < 25; index += 1) server.sendMessage(queue.name, String(index));
    const target = new ScriptedFunction();
    start(queue, target, { batchSize: 25, maximumBatchingWindowInSeconds: 5, maximumConcurrency: 1 });
    await until(() => target.events.length > 0);
    expect(target.events.map((event) => records(event).length)).toEqual([25]);
  });

  test('no more than MaximumConcurrency run at once', async () => {
    const queue = createQueue();
    for (let index = 0; index < 8; index += 1) server.sendMessage(queue.name, String(index));
    let running = 0;
    let most = 0;
    const target = new ScriptedFunction(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 10));
      running -= 1;
    });
    start(queue, target, { batchSize: 1, maximumConcurrency: 2 });
    await until(() => bodies(target).length === 8);
    expect(most).toBe(2);
  });

  test('messages that no filter wants are deleted unseen', async () => {
    const queue = createQueue();
    for (const kind of ['job', 'other', 'job']) server.sendMessage(queue.name, JSON.stringify({ kind }));
    const target = new ScriptedFunction();
    start(queue, target, { filterPatterns: ['{"body":{"kind":["job"]}}'] });
    await until(() => isEmpty(queue) && bodies(target).length === 2);
    expect(bodies(target)).toEqual(['{"kind":"job"}', '{"kind":"job"}']);
  });
});

describe('a deletion', () => {
  /** A client of the same server whose deletions go through `gate` before they are sent. */
  function gatedClient(gate: () => Promise<void>): SQSClient {
    const gated = createClient();
    gated.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'DeleteMessageBatchCommand') await gate();
          return await next(args);
        },
      { step: 'initialize' },
    );
    onTestFinished(() => gated.destroy());
    return gated;
  }

  test('holds up no batch, but closing', async () => {
    const queue = createQueue();
    for (const body of ['a', 'b']) server.sendMessage(queue.name, body);
    const gate = Promise.withResolvers<void>();
    const target = new ScriptedFunction();
    const mapping = start(queue, target, {
      client: gatedClient(() => gate.promise),
      batchSize: 1,
      maximumConcurrency: 1,
    });
    await until(() => target.events.length === 2);
    const closing = mapping.close();
    gate.resolve();
    await closing;
    expect(isEmpty(queue)).toBe(true);
  });

  test('that fails is said, and the message comes again', async () => {
    const queue = createQueue({ VisibilityTimeout: '1' });
    server.sendMessage(queue.name, 'a');
    const failures = [new Error('no answer')];
    const lines: string[] = [];
    const target = new ScriptedFunction();
    const failOnce = async () => {
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
    };
    start(queue, target, { client: gatedClient(failOnce), log: (line) => lines.push(line) });
    await until(() => target.events.length === 2);
    await until(() => isEmpty(queue));
    expect(lines).toEqual([`Cannot delete messages of ${queue.queueArn}: Error: no answer`]);
  });
});

test('closing ends long polls at once and waits for the batch under way', async () => {
  const queue = createQueue();
  const finish = Promise.withResolvers<void>();
  const target = new ScriptedFunction(() => finish.promise);
  const mapping = start(queue, target);
  server.sendMessage(queue.name, 'x');
  await until(() => target.events.length > 0);
  const closing = mapping.close();
  finish.resolve();
  await closing;
  expect(isEmpty(queue)).toBe(true);
});
