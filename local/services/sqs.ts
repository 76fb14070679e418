import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { type BuildAppOptions, buildApp } from 'fauxqs';
import { ACCOUNT, REGION } from '../account.ts';
import type { Clock } from '../clock.ts';
import { listen } from '../gateway/listening-server.ts';
import { denial, type Principals } from '../permissions/principal.ts';
import {
  type AuthenticationStyle,
  isRecord,
  isRefusal,
  type JsonCall,
  readBytes,
  readJsonCall,
  refuseJson,
} from './json-service.ts';
import { HOST, type RunningService } from './running-service.ts';

/** A queue, named like the properties of `AWS::SQS::Queue`. Times are in seconds. */
export interface QueueSettings {
  readonly QueueName: string;
  readonly VisibilityTimeout?: number;
  readonly MessageRetentionPeriod?: number;
  readonly DelaySeconds?: number;
  readonly ReceiveMessageWaitTimeSeconds?: number;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };
}

/** How SQS is to run here. */
export interface SqsSettings {
  /** 0 for a free one. */
  readonly port: number;
  /** Where queues and messages are kept; they survive a restart. */
  readonly directory: string;
  readonly queues: readonly QueueSettings[];
  readonly principals: Principals;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** A running SQS. */
export interface RunningSqs extends RunningService {
  /** The URL by which functions name a queue, `http://127.0.0.1:<port>/<account>/<name>`. */
  queueUrl(queueName: string): string;
}

/** What fauxqs keeps its state in. */
type Stores = NonNullable<BuildAppOptions['stores']>;
type Persistence = NonNullable<Stores['sqsStore']['persistence']>;
type FauxqsApp = ReturnType<typeof buildApp>;

const STYLE: AuthenticationStyle = { statusCode: 403, unknownAccessKey: 'InvalidClientTokenId' };

/** A batch needs the permission of its single call (SQS Developer Guide, sqs-api-permissions-reference). */
const ACTIONS: Readonly<Record<string, string>> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

const DEFAULT_ATTRIBUTES = {
  VisibilityTimeout: 30,
  MessageRetentionPeriod: 345_600,
  DelaySeconds: 0,
  ReceiveMessageWaitTimeSeconds: 0,
};

/**
 * Starts SQS: fauxqs in this process, with signatures and permissions in front, which it lacks. Fauxqs itself
 * does not listen: its own server would be open to the whole network, and would serve more than SQS.
 *
 * @throws the system's error if the port is taken
 */
export async function startSqs(settings: SqsSettings): Promise<RunningSqs> {
  const { stores, persistence } = await openStores(settings.directory);
  const app = buildApp({ logger: false, defaultRegion: REGION, stores });
  await app.ready();
  const release = async (): Promise<void> => {
    // Ends long polls.
    await app.close();
    persistence.close();
  };
  try {
    const listening = await listen(HOST, settings.port);
    const endpoint = `http://${HOST}:${listening.port}`;
    const queueUrl = (name: string): string => `${endpoint}/${ACCOUNT}/${name}`;
    for (const queue of settings.queues) ensureQueue(stores, queueUrl(queue.QueueName), queue);
    listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void answer(settings, app, endpoint, request, response);
    });
    return {
      endpoint,
      port: listening.port,
      queueUrl,
      close: async () => {
        await listening.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Opens the stores of fauxqs as its `startFauxqs` does. They are not among the exports of the package (whose
 * version is pinned), hence the import by address.
 */
async function openStores(directory: string): Promise<{ stores: Stores; persistence: Persistence }> {
  const entry = import.meta.resolve('fauxqs');
  const load = (path: string): Promise<unknown> => import(new URL(path, entry).href);
  // The types of these modules are what `BuildAppOptions` says of their instances.
  const { SqsStore } = (await load('./sqs/sqsStore.js')) as { SqsStore: new () => Stores['sqsStore'] };
  const { SnsStore } = (await load('./sns/snsStore.js')) as { SnsStore: new () => Stores['snsStore'] };
  const { S3Store } = (await load('./s3/s3Store.js')) as { S3Store: new () => Stores['s3Store'] };
  const { PersistenceManager } = (await load('./persistence.js')) as {
    PersistenceManager: new (directory: string) => Persistence;
  };
  const persistence = new PersistenceManager(directory);
  const stores: Stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  // Loaded before it is attached, or loading would write.
  persistence.loadSqsAndSns(stores.sqsStore, stores.snsStore);
  stores.sqsStore.persistence = persistence;
  for (const queue of stores.sqsStore.allQueues()) queue.persistence = persistence;
  keepReceiveCounts(persistence);
  return { stores, persistence };
}

/**
 * Fauxqs 2.4.1 sets the receive count to NULL when a message is made visible at once (ChangeMessageVisibility
 * with 0), which its own schema forbids: the call fails and the message is gone until the next start. The
 * count is to stay anyway, or the message would never reach the dead-letter queue.
 */
function keepReceiveCounts(persistence: Persistence): void {
  // Private in its types, an ordinary property of the instance.
  const database = Reflect.get(persistence, 'db') as DatabaseSync;
  const makeReady = database.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => void makeReady.run(messageId);
}

/** Makes a queue, or gives an existing one the attributes of the template; its messages stay. */
function ensureQueue({ sqsStore }: Stores, url: string, settings: QueueSettings): void {
  const { QueueName, RedrivePolicy, ...times } = settings;
  const attributes: Record<string, string> = {};
  for (const [name, seconds] of Object.entries({ ...DEFAULT_ATTRIBUTES, ...times })) {
    attributes[name] = String(seconds);
  }
  if (RedrivePolicy !== undefined) attributes['RedrivePolicy'] = JSON.stringify(RedrivePolicy);
  const arn = queueArn(QueueName);
  const existing = sqsStore.getQueueByArn(arn);
  if (existing === undefined) {
    sqsStore.createQueue(QueueName, url, arn, attributes);
    return;
  }
  if (RedrivePolicy === undefined) delete existing.attributes['RedrivePolicy'];
  existing.setAttributes(attributes);
}

/** Answers one call; never rejects. */
async function answer(
  settings: SqsSettings,
  app: FauxqsApp,
  endpoint: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = await readBytes(request, response);
  if (bytes === undefined) return;
  const call = readJsonCall(request, bytes, settings.principals, settings.clock, STYLE);
  if (isRefusal(call)) return refuseJson(response, call);
  const action = `sqs:${ACTIONS[call.operation] ?? call.operation}`;
  const message = denial(call.principal, action, resourceOf(call));
  if (message !== undefined) {
    settings.log(`SQS: ${message}`);
    // SDK v3 takes the name of the error from this header, if it is there.
    response.setHeader('x-amzn-query-error', 'AccessDenied;Sender');
    const type = 'com.amazon.coral.service#AccessDeniedException';
    return refuseJson(response, { statusCode: 403, type, message });
  }
  try {
    const answered = await app.inject({
      method: 'POST',
      url: '/',
      headers: { ...request.headers, 'content-type': 'application/x-amz-json-1.0' },
      payload: bytes,
    });
    const body = withCurrentEndpoint(answered.body, endpoint);
    const queryError = answered.headers['x-amzn-query-error'];
    response
      .writeHead(answered.statusCode, {
        'Content-Type': 'application/x-amz-json-1.0',
        'Content-Length': Buffer.byteLength(body),
        ...(queryError === undefined ? {} : { 'x-amzn-query-error': queryError }),
      })
      .end(body);
  } catch (error) {
    settings.log(`SQS: ${call.operation} was not answered: ${String(error)}`);
    refuseJson(response, { statusCode: 500, type: 'InternalFailure', message: 'SQS did not answer.' });
  }
}

function resourceOf(call: JsonCall): string {
  const { QueueUrl, QueueName } = call.body;
  if (typeof QueueUrl === 'string') return queueArn(QueueUrl.split('/').at(-1) ?? '');
  return typeof QueueName === 'string' ? queueArn(QueueName) : '*';
}

function queueArn(name: string): string {
  return `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
}

/** Queues of an earlier run are stored with the URL of then, which had another port. */
function withCurrentEndpoint(body: string, endpoint: string): string {
  if (!body.includes('"QueueUrl')) return body;
  const value: unknown = JSON.parse(body);
  if (!isRecord(value)) return body;
  const current = (url: unknown): unknown =>
    typeof url === 'string' ? endpoint + new URL(url).pathname : url;
  const { QueueUrl, QueueUrls, ...rest } = value;
  return JSON.stringify({
    ...rest,
    ...(QueueUrl === undefined ? {} : { QueueUrl: current(QueueUrl) }),
    ...(Array.isArray(QueueUrls) ? { QueueUrls: QueueUrls.map(current) } : {}),
  });
}
