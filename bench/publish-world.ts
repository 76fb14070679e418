import { fileURLToPath } from 'node:url';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { buildSync } from 'esbuild';
import * as v from 'valibot';
import { type Item, newJobItem } from '../handlers/aws/job-item.ts';
import { VARIABLES } from '../handlers/environment.ts';
import type { SubscriptionTopic } from '../handlers/ports.ts';
import { bundleFunctions } from '../infrastructure/bundles.ts';
import { DEFAULT_VARIANT, entriesOf } from '../infrastructure/entries.ts';
import { REGION } from '../local/account.ts';
import { systemClock } from '../local/clock.ts';
import { QueueEventSourceMapping } from '../local/events/queue-event-source-mapping.ts';
import type { InvokableFunction } from '../local/functions/invocation.ts';
import { LambdaFunction } from '../local/functions/lambda-function.ts';
import { Principals } from '../local/permissions/principal.ts';
import { startDynamoDbProcess } from '../local/services/dynamodb-process.ts';
import { type RunningSqs, startSqs } from '../local/services/sqs.ts';
import { benchPrincipal } from './bench-principal.ts';
import { type CapacityProxy, startCapacityProxy } from './capacity-proxy.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import { InvariantError } from './measure.ts';
import { tableOf, writeAll } from './publish-tables.ts';

/** The tables of subscriptions. */
export type SubscriptionsTableName = 'subscriptions' | 'quiet' | 'crowded';

/** What there is to publish with: the bundles that are deployed, their tables and queues, and the samples' function. */
export interface PublishWorld {
  /** Posts to whom the table `subscriptions` names. */
  readonly publish: InvokableFunction;
  /** The same function, on tables that nothing else is published from, so that both are used alike. */
  readonly publishFrom: Readonly<Record<'quiet' | 'crowded', InvokableFunction>>;
  readonly samples: InvokableFunction;
  readonly capacity: CapacityProxy;
  /** Starts another publisher, of a bundle, that is told more. */
  add(name: string, bundle: string, variables: Readonly<Record<string, string>>): InvokableFunction;
  /** Makes a job that `deliver` can read; answers its item. */
  makeJob(): Promise<Item>;
  /** Writes a job as it stands now. */
  write(item: Item): Promise<void>;
  /** Makes connections watch a topic. */
  watch(
    table: SubscriptionsTableName,
    topic: SubscriptionTopic,
    connections: readonly string[],
  ): Promise<void>;
  /** Makes a table of connections as the samples have it. */
  connect(table: string, connections: readonly string[]): Promise<void>;
  /** Waits until no function is at work. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** As many posts a second as nobody makes: nothing waits, and what is measured is the work. */
const UNPACED = '1000000000';

/** One for each core of the smallest machine: the five that are deployed would wait for each other here. */
const BROADCAST_CONCURRENCY = 2;

const QUEUES = ['deliveries', 'broadcasts'] as const;

/** Where a publisher leaves what a broker did not take; nobody takes it from there, so it is missed where it is owed. */
const RETAINED = 'retained';
/** What a function answers that could not do all of its batch. */
const FailuresSchema = v.object({ batchItemFailures: v.pipe(v.array(v.unknown()), v.minLength(1)) });

const EXPIRES_AT = new Date(Date.now() + 24 * 3_600_000).toISOString();

/** Starts everything but the server that is posted to. `socketUrl` is that server's. */
export async function startPublishWorld(socketUrl: string): Promise<PublishWorld> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    return { ...(await startParts(socketUrl, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  socketUrl: string,
  closing: (() => unknown)[],
): Promise<Omit<PublishWorld, 'close'>> {
  const folder = await makeTemporaryFolder();
  closing.push(() => folder.remove());
  const database = await startDynamoDbProcess({
    onUnexpectedExit: (output) => console.error(`DynamoDB Local has ended:\n${output}`),
  });
  closing.push(() => database.close());
  const capacity = await startCapacityProxy(database.port);
  closing.push(() => capacity.close());
  const { accessKeyId, secretAccessKey } = benchPrincipal;
  const credentials = { accessKeyId, secretAccessKey };
  const sqs = await startSqs({
    port: 0,
    directory: folder.path,
    queues: [...QUEUES, RETAINED].map((QueueName) => ({ QueueName, VisibilityTimeout: 180 })),
    principals: new Principals([benchPrincipal]),
    clock: systemClock,
    log: () => {},
  });
  closing.push(() => sqs.close());
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${database.port}`,
    region: REGION,
    credentials,
  });
  closing.push(() => client.destroy());
  await client.send(new CreateTableCommand(tableOf('jobs', 'job')));
  for (const table of ['subscriptions', 'quiet', 'crowded']) {
    await client.send(new CreateTableCommand(tableOf(table, 'topic', 'connection')));
  }

  const bundles = bundleFunctions(folder.path, entriesOf(DEFAULT_VARIANT));
  const samplesBundle = `${folder.path}/samples`;
  bundleSamples(samplesBundle);
  const busy = new Set<Promise<unknown>>();
  const start = (name: string, bundle: string, memoryMb: number, variables: Record<string, string>) => {
    const lambda = new LambdaFunction({
      name,
      arn: `arn:aws:lambda:${REGION}:000000000000:function:${name}`,
      bundle,
      handler: 'index.handler',
      memoryMb,
      timeoutMs: 60_000,
      environment: {
        ...variables,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_REGION: REGION,
        AWS_ENDPOINT_URL_DYNAMODB: capacity.endpoint,
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      },
      log: () => {},
    });
    closing.push(() => lambda.close());
    return watched(lambda, busy);
  };
  const variables = (table: string) => ({
    [VARIABLES.jobsTable]: 'jobs',
    [VARIABLES.subscriptionsTable]: table,
    [VARIABLES.subscriptionsByConnectionIndex]: 'by-connection',
    [VARIABLES.deliveriesQueueUrl]: sqs.queueUrl('deliveries'),
    [VARIABLES.broadcastsQueueUrl]: sqs.queueUrl('broadcasts'),
    [VARIABLES.retainedQueueUrl]: sqs.queueUrl(RETAINED),
    [VARIABLES.postsPerSecond]: UNPACED,
    [VARIABLES.broadcastConcurrency]: String(BROADCAST_CONCURRENCY),
    [VARIABLES.socketUrl]: socketUrl,
  });
  const write = async (item: Item) => {
    await client.send(new PutItemCommand({ TableName: 'jobs', Item: item }));
  };
  const deliver = start('deliver', bundles.deliver, 512, variables('subscriptions'));
  closing.push(...startMappings(sqs, credentials, deliver));
  return {
    publish: start('publish', bundles.publish, 1_024, variables('subscriptions')),
    publishFrom: {
      quiet: start('publish-quiet', bundles.publish, 1_024, variables('quiet')),
      crowded: start('publish-crowded', bundles.publish, 1_024, variables('crowded')),
    },
    samples: start('samples', samplesBundle, 1_024, { SOCKET_URL: socketUrl.replace(/^ws/, 'http') }),
    capacity,
    add: (name, bundle, more) => start(name, bundle, 1_024, { ...variables('subscriptions'), ...more }),
    async makeJob() {
      jobs += 1;
      const item = jobItem(jobs);
      await write(item);
      return item;
    },
    write,
    watch: (table, topic, connections) =>
      writeAll(
        client,
        table,
        connections.map((connection) => ({
          topic,
          connection,
          since: EXPIRES_AT,
          expiresAt: Math.floor(Date.parse(EXPIRES_AT) / 1_000),
        })),
      ),
    async connect(table, connections) {
      await client.send(new CreateTableCommand(tableOf(table, 'connection')));
      await writeAll(
        client,
        table,
        connections.map((connection) => ({ connection })),
      );
    },
    async settle() {
      while (busy.size > 0) await Promise.all(busy);
    },
  };
}

function startMappings(
  sqs: RunningSqs,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  deliver: InvokableFunction,
): readonly (() => unknown)[] {
  const client = new SQSClient({ endpoint: sqs.endpoint, region: REGION, credentials });
  const mappings = QUEUES.map(
    (queue) =>
      new QueueEventSourceMapping({
        client,
        queueUrl: sqs.queueUrl(queue),
        queueArn: `arn:aws:sqs:${REGION}:000000000000:${queue}`,
        target: deliver,
        batchSize: queue === 'broadcasts' ? 1 : 10,
        maximumConcurrency: BROADCAST_CONCURRENCY,
        reportBatchItemFailures: true,
        log: (line) => console.error(line),
      }),
  );
  return [() => client.destroy(), ...mappings.map((mapping) => () => mapping.close())];
}

/** A function whose failures are no figures, and of which one knows whether it is at work. */
function watched(lambda: LambdaFunction, busy: Set<Promise<unknown>>): InvokableFunction {
  return {
    name: lambda.name,
    arn: lambda.arn,
    async invoke(event) {
      const invocation = lambda.invoke(event);
      busy.add(invocation);
      try {
        const outcome = await invocation;
        if (outcome.kind === 'failed') {
          const { errorType, errorMessage } = outcome.error;
          throw new InvariantError(`${lambda.name} failed: ${errorType}: ${errorMessage}`);
        }
        if (v.is(FailuresSchema, outcome.payload)) {
          throw new InvariantError(`${lambda.name} wants a part of its batch again: the machine is too busy`);
        }
        return outcome;
      } finally {
        busy.delete(invocation);
      }
    },
  };
}

function bundleSamples(directory: string): void {
  buildSync({
    entryPoints: { index: fileURLToPath(new URL('samples-way.ts', import.meta.url)) },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
}

let jobs = 0;

function jobItem(number: number): Item {
  const at = new Date().toISOString();
  const id = String(number).padStart(26, '0');
  return newJobItem(
    {
      id: `job_${id}`,
      epoch: id,
      kind: 'csv-profile',
      owner: `owner-${number}`,
      tags: [],
      input: { fileName: 'bench.csv', contentType: 'text/csv', size: 1 },
      upload: 'put',
      fingerprint: 'bench',
      at,
      uploadUntil: EXPIRES_AT,
      expiresAt: EXPIRES_AT,
    },
    'bench',
  );
}
