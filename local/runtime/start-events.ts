import path from 'node:path';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { REGION } from '../account.ts';
import { StartError } from '../errors.ts';
import { AsynchronousInvocation } from '../events/asynchronous-invocation.ts';
import { QueueEventSourceMapping } from '../events/queue-event-source-mapping.ts';
import { type BusEvent, Rule } from '../events/rule.ts';
import { StreamEventSourceMapping } from '../events/stream-event-source-mapping.ts';
import type { Principal } from '../permissions/principal.ts';
import type { StateDirectory } from '../state-directory.ts';
import type { Stack } from '../template/properties.ts';
import {
  type EventSourceMappingDeclaration,
  readEventInvokeConfigs,
  readEventSourceMappings,
  readRules,
} from '../template/read-events.ts';
import { InvokePermissions } from '../template/read-permissions.ts';
import { readQueues, readTables } from '../template/read-storage.ts';
import type { Closing } from './closing.ts';
import type { FunctionFleet } from './function-fleet.ts';
import type { RunningServices } from './start-services.ts';

/** What carries events from the services to the functions. */
export interface RunningEvents {
  /** A table has been written to: its stream is read at once. */
  onWrite(tableName: string): void;
  /** An event has come to the default event bus. */
  onEvent(event: BusEvent): void;
}

/** Settings of `startEvents`. */
export interface EventSettings {
  readonly stack: Stack;
  readonly state: StateDirectory;
  readonly services: RunningServices;
  readonly functions: FunctionFleet;
  readonly owner: Principal;
  readonly log: (line: string) => void;
  readonly closing: Closing;
}

/** Starts the event source mappings and the rules of the template. */
export async function startEvents(settings: EventSettings): Promise<RunningEvents> {
  const queues = new QueueDirectory(settings);
  const streams = new Map<string, StreamEventSourceMapping>();
  for (const mapping of readEventSourceMappings(settings.stack)) {
    if (mapping.source === 'sqs') startQueueMapping(mapping, queues, settings);
    else {
      const { tableName, running } = await startStreamMapping(mapping, queues, settings);
      streams.set(tableName, running);
    }
  }
  const rules = startRules(queues, settings);
  return {
    onWrite: (tableName) => streams.get(tableName)?.wake(),
    onEvent: (event) => {
      for (const rule of rules) rule.accept(event);
    },
  };
}

/** The queues of the template by ARN, and a way to send to them. */
class QueueDirectory {
  readonly #urls: ReadonlyMap<string, string>;
  readonly #endpoint: string;
  readonly #owner: SQSClient;

  constructor({ stack, services, owner, closing }: EventSettings) {
    this.#urls = new Map(readQueues(stack).map(({ arn, url }) => [arn, url]));
    this.#endpoint = services.sqs.endpoint;
    this.#owner = this.clientOf(owner, closing);
  }

  /** A client that calls as `principal`, as an event source mapping calls with the role of its function. */
  clientOf(principal: Principal, closing: Closing): SQSClient {
    const client = new SQSClient({ endpoint: this.#endpoint, region: REGION, credentials: { ...principal } });
    closing.add(() => client.destroy());
    return client;
  }

  urlOf(arn: string): string {
    const url = this.#urls.get(arn);
    if (url === undefined)
      throw new StartError(`The template refers to the queue ${arn}, which it does not have`);
    return url;
  }

  /** A sender to the queue of an ARN. */
  senderTo(arn: string): (body: string, attributes?: Readonly<Record<string, string>>) => Promise<void> {
    const url = this.urlOf(arn);
    return async (body, attributes = {}) => {
      await this.#owner.send(
        new SendMessageCommand({
          QueueUrl: url,
          MessageBody: body,
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [
              name,
              { DataType: 'String', StringValue: value },
            ]),
          ),
        }),
      );
    };
  }
}

function startQueueMapping(
  mapping: EventSourceMappingDeclaration,
  queues: QueueDirectory,
  { functions, log, closing }: EventSettings,
): void {
  const running = new QueueEventSourceMapping({
    client: queues.clientOf(functions.principalOf(mapping.functionName), closing),
    queueUrl: queues.urlOf(mapping.eventSourceArn),
    queueArn: mapping.eventSourceArn,
    target: functions.find(mapping.functionName),
    maximumBatchingWindowInSeconds: mapping.maximumBatchingWindowInSeconds,
    filterPatterns: mapping.filterPatterns,
    reportBatchItemFailures: mapping.reportBatchItemFailures,
    ...(mapping.batchSize === undefined ? {} : { batchSize: mapping.batchSize }),
    ...(mapping.maximumConcurrency === undefined ? {} : { maximumConcurrency: mapping.maximumConcurrency }),
    log,
  });
  closing.add(() => running.close());
}

async function startStreamMapping(
  mapping: EventSourceMappingDeclaration,
  queues: QueueDirectory,
  { stack, state, services, functions, owner, log, closing }: EventSettings,
): Promise<{ readonly tableName: string; readonly running: StreamEventSourceMapping }> {
  const tableName = readTables(stack).find(({ streamArn }) => streamArn === mapping.eventSourceArn)?.settings
    .TableName;
  const streamArn = services.dynamoDb.tables.find((table) => table.tableName === tableName)?.streamArn;
  if (tableName === undefined || streamArn === undefined) {
    throw new StartError(
      `${mapping.logicalId} reads ${mapping.eventSourceArn}, which is no stream of the template`,
    );
  }
  const client = new DynamoDBStreamsClient({
    endpoint: services.dynamoDb.endpoint,
    region: REGION,
    credentials: { ...owner },
  });
  closing.add(() => client.destroy());
  const running = await StreamEventSourceMapping.start({
    client,
    streamArn,
    eventSourceArn: mapping.eventSourceArn,
    target: functions.find(mapping.functionName),
    startingPosition: mapping.startingPosition,
    maximumBatchingWindowInSeconds: mapping.maximumBatchingWindowInSeconds,
    filterPatterns: mapping.filterPatterns,
    reportBatchItemFailures: mapping.reportBatchItemFailures,
    bisectBatchOnFunctionError: mapping.bisectBatchOnFunctionError,
    ...(mapping.batchSize === undefined ? {} : { batchSize: mapping.batchSize }),
    ...(mapping.parallelizationFactor === undefined
      ? {}
      : { parallelizationFactor: mapping.parallelizationFactor }),
    ...(mapping.maximumRetryAttempts === undefined
      ? {}
      : { maximumRetryAttempts: mapping.maximumRetryAttempts }),
    ...(mapping.maximumRecordAgeInSeconds === undefined
      ? {}
      : { maximumRecordAgeInSeconds: mapping.maximumRecordAgeInSeconds }),
    ...(mapping.onFailureArn === undefined
      ? {}
      : { sendToDestination: queues.senderTo(mapping.onFailureArn) }),
    checkpointFile: path.join(state.path, 'checkpoints', `${mapping.logicalId}.json`),
    log,
  });
  closing.add(() => running.close());
  return { tableName, running };
}

function startRules(
  queues: QueueDirectory,
  { stack, functions, log, closing }: EventSettings,
): readonly Rule[] {
  const configs = new Map(readEventInvokeConfigs(stack).map((config) => [config.functionName, config]));
  // EventBridge invokes functions asynchronously: retries and destinations are the function's own.
  const invocations = new Map(
    functions.names.map((name) => {
      const config = configs.get(name);
      const invocation = new AsynchronousInvocation({
        target: functions.find(name),
        ...(config?.maximumRetryAttempts === undefined
          ? {}
          : { maximumRetryAttempts: config.maximumRetryAttempts }),
        ...(config?.maximumEventAgeInSeconds === undefined
          ? {}
          : { maximumEventAgeInSeconds: config.maximumEventAgeInSeconds }),
        ...(config?.onFailureArn === undefined
          ? {}
          : { sendToOnFailure: queues.senderTo(config.onFailureArn) }),
        log,
      });
      closing.add(() => invocation.close());
      return [functions.find(name).arn, invocation] as const;
    }),
  );
  return readRules(stack, new InvokePermissions(stack)).map((declaration) => {
    const rule = new Rule({
      arn: declaration.arn,
      eventPattern: declaration.pattern,
      targets: declaration.targets.map((target, index) => {
        const invocation = invocations.get(target.functionArn);
        if (invocation === undefined)
          throw new StartError(`${target.functionArn} is no function of the template`);
        return {
          id: `Target${index}`,
          arn: target.functionArn,
          deliver: (event) => invocation.accept(event),
          ...(target.maximumRetryAttempts === undefined
            ? {}
            : { maximumRetryAttempts: target.maximumRetryAttempts }),
          ...(target.maximumEventAgeInSeconds === undefined
            ? {}
            : { maximumEventAgeInSeconds: target.maximumEventAgeInSeconds }),
          ...(target.deadLetterArn === undefined
            ? {}
            : { sendToDeadLetterQueue: queues.senderTo(target.deadLetterArn) }),
        };
      }),
      log,
    });
    closing.add(() => rule.close());
    return rule;
  });
}
