import path from 'node:path';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { REGION } from '../account.ts';
import { StartError } from '../errors.ts';
import { buildNotification, concerns } from '../events/bucket-notifications.ts';
import { buildExecutionStatusEvent } from '../events/execution-status-event.ts';
import { buildObjectCreatedEvent } from '../events/object-created-event.ts';
import { QueueEventSourceMapping } from '../events/queue-event-source-mapping.ts';
import { Rule } from '../events/rule.ts';
import { StreamEventSourceMapping } from '../events/stream-event-source-mapping.ts';
import type { Principal } from '../permissions/principal.ts';
import type { ObjectCreated } from '../services/s3-object-created.ts';
import type { StateDirectory } from '../state-directory.ts';
import type { Stack } from '../template/properties.ts';
import {
  type EventSourceMappingDeclaration,
  readEventSourceMappings,
  readRules,
} from '../template/read-events.ts';
import { InvokePermissions } from '../template/read-permissions.ts';
import { readNotifyingBuckets, readTables } from '../template/read-storage.ts';
import type { Execution } from '../workflows/execution-store.ts';
import { AsynchronousInvocations } from './asynchronous-invocations.ts';
import type { Closing } from './closing.ts';
import type { FunctionFleet } from './function-fleet.ts';
import { QueueDirectory } from './queue-directory.ts';
import type { RunningServices } from './start-services.ts';

/** What carries events from the services to the functions. */
export interface RunningEvents {
  /** A table has been written to: its stream is read at once. */
  onWrite(tableName: string): void;
  /** An object has been created: whoever the template says is told. */
  onObjectCreated(created: ObjectCreated): void;
  /** An execution of a state machine has started or ended: the rules are told. */
  onExecutionStatus(execution: Execution): void;
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
  const queues = new QueueDirectory(settings.stack, settings.services.sqs.endpoint, settings);
  const streams = new Map<string, StreamEventSourceMapping>();
  for (const mapping of readEventSourceMappings(settings.stack)) {
    if (mapping.source === 'sqs') startQueueMapping(mapping, queues, settings);
    else {
      const { tableName, running } = await startStreamMapping(mapping, queues, settings);
      streams.set(tableName, running);
    }
  }
  const permissions = new InvokePermissions(settings.stack);
  const invocations = new AsynchronousInvocations(queues, settings);
  const rules = startRules(queues, invocations, permissions, settings);
  const tellers = tellersOf(rules, invocations, permissions, settings);
  return {
    onWrite: (tableName) => streams.get(tableName)?.wake(),
    onObjectCreated: (created) => tellers.get(created.bucket)?.(created),
    onExecutionStatus: (execution) => {
      const event = buildExecutionStatusEvent(execution);
      for (const rule of rules) rule.accept(event);
    },
  };
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
  invocations: AsynchronousInvocations,
  permissions: InvokePermissions,
  { stack, log, closing }: EventSettings,
): readonly Rule[] {
  return readRules(stack, permissions).map((declaration) => {
    const rule = new Rule({
      arn: declaration.arn,
      eventPattern: declaration.pattern,
      targets: declaration.targets.map((target, index) => {
        const invocation = invocations.of(target.functionArn);
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

/** How each bucket tells of its objects, by its name. */
function tellersOf(
  rules: readonly Rule[],
  invocations: AsynchronousInvocations,
  permissions: InvokePermissions,
  { stack }: EventSettings,
): ReadonlyMap<string, (created: ObjectCreated) => void> {
  return new Map(
    readNotifyingBuckets(stack, permissions).map(({ name, eventBridge, notifications }) => {
      const targets = notifications.map((notification) => ({
        notification,
        invocation: invocations.of(notification.functionArn),
      }));
      const tell = (created: ObjectCreated) => {
        if (eventBridge) {
          const event = buildObjectCreatedEvent(created);
          for (const rule of rules) rule.accept(event);
        }
        for (const { notification, invocation } of targets) {
          if (concerns(notification, created)) invocation.accept(buildNotification(created));
        }
      };
      return [name, tell] as const;
    }),
  );
}
