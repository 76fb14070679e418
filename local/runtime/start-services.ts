import { type Clock, systemClock } from '../clock.ts';
import { StartError } from '../errors.ts';
import type { Principal, Principals } from '../permissions/principal.ts';
import { type RunningDynamoDb, startDatabase, startDynamoDb } from '../services/dynamodb.ts';
import type { DynamoDbProcess } from '../services/dynamodb-process.ts';
import { startNoRoute } from '../services/no-route.ts';
import type { RunningService } from '../services/running-service.ts';
import { type ServedRequest, startS3 } from '../services/s3.ts';
import type { ObjectCreated } from '../services/s3-object-created.ts';
import { type RunningSecretsManager, startSecretsManager } from '../services/secrets-manager.ts';
import { type RunningSqs, startSqs } from '../services/sqs.ts';
import type { StateDirectory } from '../state-directory.ts';
import type { Stack } from '../template/properties.ts';
import { hasNetworks } from '../template/read-networks.ts';
import { readBuckets, readQueues, readSecrets, readTables } from '../template/read-storage.ts';
import type { Closing } from './closing.ts';
import type { Ports } from './ports.ts';

/** The services that the functions call. */
export interface RunningServices {
  readonly dynamoDb: RunningDynamoDb;
  readonly s3: RunningService;
  readonly sqs: RunningSqs;
}

/** Settings of `startServices`. */
export interface ServiceSettings {
  readonly stack: Stack;
  readonly state: StateDirectory;
  /** What `startDatabaseEarly` has begun. */
  readonly database: Promise<DynamoDbProcess>;
  readonly ports: Ports;
  readonly principals: Principals;
  readonly owner: Principal;
  readonly onWrite: (tableName: string) => void;
  readonly onObjectCreated: (created: ObjectCreated) => void;
  readonly onServed?: ((served: ServedRequest) => void) | undefined;
  readonly log: (line: string) => void;
  /** Takes what has been started, so that it is stopped even when the next start fails. */
  readonly closing: Closing;
}

const clock: Clock = systemClock;

/**
 * Begins to start DynamoDB Local, which takes as long as the synthesis does. Why it fails is told to whoever
 * awaits it, and to nobody if something else fails before.
 */
export function startDatabaseEarly(
  settings: Pick<ServiceSettings, 'state' | 'log' | 'closing'>,
): Promise<DynamoDbProcess> {
  const { state, log, closing } = settings;
  const notNeeded = new AbortController();
  const database = startDatabase({
    directory: state.folder('dynamodb'),
    log,
    signal: notNeeded.signal,
  });
  database.catch(() => undefined); // not unhandled while the synthesis goes on
  closing.add(async () => {
    notNeeded.abort();
    await database.then(
      (running) => running.close(), // a second time where the service in front of it has closed it
      () => undefined,
    );
  });
  return database;
}

/** Starts Secrets Manager alone: the ARN of a secret, which other resources refer to, is known only then. */
export async function startSecrets(
  settings: Omit<ServiceSettings, 'onWrite' | 'onObjectCreated' | 'owner' | 'database'>,
): Promise<RunningSecretsManager> {
  const { stack, state, ports, principals, log, closing } = settings;
  const secrets = await startSecretsManager({
    port: ports.secrets,
    file: state.folder('secrets.json'),
    secrets: readSecrets(stack),
    principals,
    clock,
    log,
  });
  closing.add(() => secrets.close());
  return secrets;
}

/** Starts the databases, buckets and queues of the template, all at once. */
export async function startServices(settings: ServiceSettings): Promise<RunningServices> {
  const { stack, state, database, ports, principals, owner, log, closing } = settings;
  const started = async <Service extends RunningService>(service: Promise<Service>): Promise<Service> => {
    const running = await service;
    closing.add(() => running.close());
    return running;
  };
  // allSettled, so that none is still starting when the first failure is told and all are closed.
  const [dynamoDb, s3, sqs] = await Promise.allSettled([
    started(
      startDynamoDb({
        port: ports.dynamoDb,
        directory: state.folder('dynamodb'),
        tables: readTables(stack).map((table) => table.settings),
        principals,
        owner,
        clock,
        onWrite: settings.onWrite,
        database,
        log,
      }),
    ),
    started(
      startS3({
        port: ports.storage,
        directory: state.folder('s3'),
        buckets: readBuckets(stack).map(({ name, corsRules }) => ({
          BucketName: name,
          CorsRules: corsRules,
        })),
        principals,
        clock,
        onObjectCreated: settings.onObjectCreated,
        ...(settings.onServed === undefined ? {} : { onServed: settings.onServed }),
        log,
      }),
    ),
    started(
      startSqs({
        port: ports.queues,
        directory: state.folder('sqs'),
        queues: readQueues(stack).map((queue) => queue.settings),
        principals,
        clock,
        log,
      }),
    ),
  ]);
  return { dynamoDb: fulfilled(dynamoDb), s3: fulfilled(s3), sqs: fulfilled(sqs) };
}

/**
 * Starts what answers functions of a VPC that call a service which they do not reach, where the template has a VPC.
 * Answers with the endpoint to tell them, by the service's name.
 */
export async function startNetworks(
  stack: Stack,
  { log, closing }: Pick<ServiceSettings, 'log' | 'closing'>,
): Promise<(service: string) => string> {
  if (!hasNetworks(stack)) {
    return (service) => {
      throw new StartError(`Nothing lives in a VPC, so nothing asks there for ${service}`);
    };
  }
  const noRoute = await startNoRoute(log);
  closing.add(() => noRoute.close());
  return (service) => noRoute.endpointFor(service);
}

function fulfilled<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
