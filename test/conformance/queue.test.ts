import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll } from 'vitest';
import { SqsQueue } from '../../handlers/aws/sqs-queue.ts';
import { MemoryQueue } from '../../handlers/memory/memory-queue.ts';
import { describeQueue, type SampleMessage } from './queue-suite.ts';

let server: FauxqsServer;
let client: SQSClient;
beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false });
  client = new SQSClient({
    endpoint: server.address,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

describeQueue('memory', async () => {
  const queue = new MemoryQueue<SampleMessage>();
  return { queue, receiveAll: async () => queue.take().map(({ message }) => message) };
});

describeQueue('fauxqs', async () => {
  const { QueueUrl: queueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'samples' }));
  if (queueUrl === undefined) throw new Error('the queue has no URL');
  async function receiveAll(): Promise<readonly SampleMessage[]> {
    const received: SampleMessage[] = [];
    for (;;) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return received;
      received.push(...Messages.map(({ Body }) => JSON.parse(Body ?? '')));
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }
  return { queue: new SqsQueue<SampleMessage>({ client, queueUrl }), receiveAll };
});
