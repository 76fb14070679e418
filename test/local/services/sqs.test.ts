import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../local/clock.ts';
import { type QueueSettings, type RunningSqs, startSqs } from '../../../local/services/sqs.ts';
import { callingAs, functionAllowed, knowing, owner } from './caller.ts';

const ARN = 'arn:aws:sqs:us-east-1:000000000000';
const queues: readonly QueueSettings[] = [
  {
    QueueName: 'deliveries',
    VisibilityTimeout: 60,
    ReceiveMessageWaitTimeSeconds: 20,
    RedrivePolicy: { deadLetterTargetArn: `${ARN}:dead`, maxReceiveCount: 1 },
  },
  { QueueName: 'dead', MessageRetentionPeriod: 1_209_600 },
];
const sender = functionAllowed('sender', ['sqs:SendMessage'], [`${ARN}:deliveries`]);
const stranger = functionAllowed('stranger', ['sqs:*'], ['*']);
const principals = knowing(sender);

let directory: string;
let sqs: RunningSqs;
const log: string[] = [];

const start = (settings: readonly QueueSettings[] = queues) =>
  startSqs({
    port: 0,
    directory,
    queues: settings,
    principals,
    clock: systemClock,
    log: (line) => log.push(line),
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-sqs-'));
  sqs = await start();
});
afterAll(async () => {
  await sqs.close();
  await rm(directory, { recursive: true });
});

const clientOf = (principal: typeof owner) => new SQSClient(callingAs(principal, sqs.endpoint));

it('sends and receives, with a queue URL that is an address of this machine', async () => {
  const QueueUrl = sqs.queueUrl('deliveries');
  expect(QueueUrl).toBe(`http://127.0.0.1:${sqs.port}/000000000000/deliveries`);
  await clientOf(sender).send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
  await clientOf(sender).send(
    new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'one', MessageBody: 'again' }] }),
  );
  const consumer = clientOf(owner);
  for (const expected of ['hello', 'again']) {
    const { Messages = [] } = await consumer.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages.map(({ Body }) => Body)).toEqual([expected]);
    await consumer.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle }));
  }
});

it('wakes a long poll, and the dead-letter queue gets what was received too often', async () => {
  const QueueUrl = sqs.queueUrl('deliveries');
  const consumer = clientOf(owner);
  const poll = consumer.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await clientOf(sender).send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }));
  const { Messages = [] } = await poll;
  expect(Messages[0]?.Body).toBe('poison');
  await consumer.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl,
      ReceiptHandle: Messages[0]?.ReceiptHandle,
      VisibilityTimeout: 0,
    }),
  );
  const again = await consumer.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0 }));
  expect(again.Messages ?? []).toEqual([]);
  const dead = await consumer.send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl('dead') }));
  expect(dead.Messages?.[0]?.Body).toBe('poison');
});

it('has the attributes of the template, also after they changed; messages and URLs survive a restart', async () => {
  await clientOf(owner).send(
    new SendMessageCommand({ QueueUrl: sqs.queueUrl('deliveries'), MessageBody: 'kept' }),
  );
  await sqs.close();
  sqs = await start([{ QueueName: 'deliveries', VisibilityTimeout: 90 }]);
  const QueueUrl = sqs.queueUrl('deliveries');
  const consumer = clientOf(owner);
  const { Attributes } = await consumer.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  expect(Attributes).toMatchObject({ VisibilityTimeout: '90', ReceiveMessageWaitTimeSeconds: '0' });
  expect(Attributes).not.toHaveProperty('RedrivePolicy');
  expect(await consumer.send(new GetQueueUrlCommand({ QueueName: 'deliveries' }))).toMatchObject({
    QueueUrl,
  });
  const { QueueUrls } = await consumer.send(new ListQueuesCommand({}));
  expect(QueueUrls).toContain(QueueUrl);
  const { Messages = [] } = await consumer.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages.map(({ Body }) => Body)).toEqual(['kept']);
});

it('refuses what a role does not grant, as SQS does', async () => {
  const QueueUrl = sqs.queueUrl('deliveries');
  await expect(clientOf(sender).send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
    name: expect.stringMatching(/^AccessDenied/),
    message: expect.stringContaining(`sqs:ReceiveMessage on resource: ${ARN}:deliveries`),
    $metadata: { httpStatusCode: 403 },
  });
  await expect(
    clientOf(sender).send(new SendMessageCommand({ QueueUrl: sqs.queueUrl('dead'), MessageBody: 'x' })),
  ).rejects.toThrow(/sqs:SendMessage on resource: .*:dead because/);
  expect(log.at(-1)).toMatch(/^SQS: User: .*assumed-role\/sender/);
});

it('refuses keys that nobody has, and wrong secrets', async () => {
  const list = new ListQueuesCommand({});
  await expect(clientOf(stranger).send(list)).rejects.toMatchObject({
    name: 'InvalidClientTokenId',
    $metadata: { httpStatusCode: 403 },
  });
  await expect(clientOf({ ...owner, secretAccessKey: 'wrong' }).send(list)).rejects.toMatchObject({
    name: 'InvalidSignatureException',
  });
});

it('answers a queue that is not there and a body that is not JSON with an error', async () => {
  await expect(
    clientOf(owner).send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl('none') })),
  ).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
});

it('closes at once while a long poll waits', async () => {
  const other = await startSqs({
    port: 0,
    directory: join(directory, 'other'),
    queues: [{ QueueName: 'empty' }],
    principals,
    clock: systemClock,
    log: () => undefined,
  });
  const consumer = new SQSClient(callingAs(owner, other.endpoint));
  const poll = consumer.send(
    new ReceiveMessageCommand({ QueueUrl: other.queueUrl('empty'), WaitTimeSeconds: 20 }),
  );
  const ended = expect(poll).rejects.toThrow();
  // The answer to this one shows that the poll, sent before it, has arrived.
  await new SQSClient(callingAs(owner, other.endpoint)).send(new ListQueuesCommand({}));
  await other.close();
  await ended;
});
