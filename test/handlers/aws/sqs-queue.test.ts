import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SqsQueue } from '../../../handlers/aws/sqs-queue.ts';

const RequestSchema = v.object({
  QueueUrl: v.string(),
  Entries: v.array(v.object({ Id: v.string(), MessageBody: v.string(), DelaySeconds: v.number() })),
});
type Request = v.InferOutput<typeof RequestSchema>;
interface Failure {
  readonly Id: string;
  readonly Code: string;
  readonly SenderFault: boolean;
}

/** Answers SendMessageBatch: what `fails` names fails, the rest is sent. */
let fails: (request: Request) => readonly Failure[];
let status = 200;
let requests: Request[] = [];
/** Answers wait until so many requests have come. */
let together = 1;
let come: () => void = () => {};
let server: Server;
let queue: SqsQueue<number>;
let client: SQSClient;

beforeAll(async () => {
  server = createServer(async (incoming, response) => {
    const request = v.parse(RequestSchema, await json(incoming));
    requests.push(request);
    come();
    while (requests.length < together) {
      await new Promise<void>((resolve) => {
        const before = come;
        come = () => {
          before();
          resolve();
        };
      });
    }
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    if (status !== 200) return response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#Nothing' }));
    const Failed = fails(request);
    const sent = request.Entries.filter(({ Id }) => !Failed.some((failure) => failure.Id === Id));
    // The answer has no hash of the bodies: the client below is told not to ask for one.
    const Successful = sent.map(({ Id }) => ({ Id, MessageId: Id, MD5OfMessageBody: '' }));
    return response.end(JSON.stringify({ Successful, Failed }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  client = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    md5: false,
  });
  queue = new SqsQueue({ client, queueUrl: `${endpoint}/000000000000/queue` });
});
afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
beforeEach(() => {
  fails = () => [];
  status = 200;
  requests = [];
  together = 1;
  come = () => {};
});

const bodies = () => requests.map(({ Entries }) => Entries.map(({ MessageBody }) => MessageBody));
const throttled = (Id: string): Failure => ({ Id, Code: 'InternalError', SenderFault: false });

describe('SqsQueue', () => {
  it('asks for a client that is not made yet when there is something to send', async () => {
    let asked = 0;
    const late = new SqsQueue<number>({
      client: () => {
        asked += 1;
        return client;
      },
      queueUrl: 'http://127.0.0.1/000000000000/queue',
    });
    await late.send([]);
    expect(asked).toBe(0);
    await late.send([1]);
    expect([asked, bodies()]).toEqual([1, [['1']]]);
  });

  it('sends ten at a time, and cuts the delay to what SQS takes', async () => {
    await queue.send(
      Array.from({ length: 11 }, (_, index) => index),
      { delaySeconds: 5000 },
    );
    expect(bodies().sort((one, other) => other.length - one.length)).toEqual([
      ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
      ['10'],
    ]);
    expect(requests[0]?.Entries[0]?.DelaySeconds).toBe(900);
    await queue.send([1], { delaySeconds: 0.2 });
    expect(requests.at(-1)?.Entries[0]?.DelaySeconds).toBe(1);
    await queue.send([1], { delaySeconds: -3 });
    expect(requests.at(-1)?.Entries[0]?.DelaySeconds).toBe(0);
  });

  it('has ten batches under way at a time', async () => {
    together = 10;
    await queue.send(Array.from({ length: 101 }, (_, index) => index));
    expect(requests).toHaveLength(11);
    expect(new Set(bodies().flat()).size).toBe(101);
  });

  it('sends again what was not sent, and nothing else', async () => {
    fails = ({ Entries }) =>
      Entries.filter(({ MessageBody }) => requests.length < 3 && Number(MessageBody) % 2 === 1).map(
        ({ Id }) => throttled(Id),
      );
    await queue.send([0, 1, 2, 3]);
    expect(bodies()).toEqual([
      ['0', '1', '2', '3'],
      ['1', '3'],
      ['1', '3'],
    ]);
  });

  it('gives up when some are never sent', async () => {
    fails = ({ Entries }) => Entries.slice(0, 1).map(({ Id }) => throttled(Id));
    await expect(queue.send([7])).rejects.toMatchObject({ name: 'UnavailableError', service: 'SQS' });
    expect(requests.length).toBeGreaterThan(3);
  });

  it('does not repeat what is its own fault', async () => {
    fails = () => [{ Id: '0', Code: 'InvalidMessageContents', SenderFault: true }];
    await expect(queue.send([7])).rejects.toMatchObject({ name: 'RefusedError' });
    expect(requests).toHaveLength(1);
  });

  it.each([
    [500, 'UnavailableError'],
    [429, 'UnavailableError'],
    [403, 'RefusedError'],
    [400, 'RefusedError'],
  ])('takes %i for %s', async (answered, name) => {
    status = answered;
    await expect(queue.send([7])).rejects.toMatchObject({ name, cause: expect.anything() });
  });
});
