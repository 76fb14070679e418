import path from 'node:path';
import { inspect } from 'node:util';
import { REGION } from '../account.ts';
import { systemClock } from '../clock.ts';
import { StartError } from '../errors.ts';
import type { InvocationReport } from '../functions/invocation-report.ts';
import { ownerPrincipal, Principals } from '../permissions/principal.ts';
import { HOST } from '../services/running-service.ts';
import type { ServedRequest } from '../services/s3.ts';
import { startStaticSite } from '../services/static-site.ts';
import { watchSources } from '../source-watcher.ts';
import { type Endpoints, StateDirectory } from '../state-directory.ts';
import { referenceOf } from '../template/properties.ts';
import { readPage } from '../template/read-page.ts';
import { Build } from './build.ts';
import { Closing } from './closing.ts';
import { FunctionFleet } from './function-fleet.ts';
import { FunctionNames } from './function-names.ts';
import { claimPorts, portRefusal } from './ports.ts';
import { rebuildOnChange } from './rebuild.ts';
import { startApis } from './start-apis.ts';
import { startBroker } from './start-broker.ts';
import { type RunningEvents, startEvents } from './start-events.ts';
import { startDatabaseEarly, startNetworks, startSecrets, startServices } from './start-services.ts';
import { startWorkflows } from './start-workflows.ts';

/** What the template is made of: changes here rebuild it. */
const SOURCE_FOLDERS = ['protocol', 'handlers', 'infrastructure', 'client', 'web'] as const;

/** Settings of `startRuntime`. */
export interface RuntimeSettings {
  /** Absolute path of the project with its `cdk.json`. */
  readonly project: string;
  /** Absolute path of the folder that keeps the state; see `StateDirectory`. */
  readonly stateDirectory: string;
  /** The first port; see `claimPorts`. */
  readonly firstPort: number;
  /** Whether the state of earlier runs is forgotten. */
  readonly fresh: boolean;
  /** Whether functions are rebuilt when sources change. */
  readonly watch: boolean;
  /** Settings of the app (`infrastructure/settings.ts`), added to those of `cdk.json`. */
  readonly context?: Readonly<Record<string, string>>;
  /**
   * Absolute path of a folder where earlier starts of the same sources left what they synthesized, and this one
   * leaves what is not there yet: tests start the same few templates again and again. Not for `watch`.
   */
  readonly assemblies?: string;
  /** Ends a start that is under way; a running runtime is ended by `close`. */
  readonly signal?: AbortSignal;
  readonly log: (line: string) => void;
  /** Told of every invocation. */
  readonly onReport?: (report: InvocationReport) => void;
  /** Told of every request to S3, once it is over. */
  readonly onStorageRequest?: (served: ServedRequest) => void;
}

/** What tests and benchmarks need to look behind the APIs: the database with every right. */
export interface Administration {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** `http://127.0.0.1:<port>` of DynamoDB. */
  readonly dynamoDb: string;
  /** The same of S3. */
  readonly s3: string;
  /** The same of Secrets Manager. */
  readonly secretsManager: string;
  /** The same of Step Functions, with the ARNs of the state machines; where the template has any. */
  readonly stepFunctions:
    | { readonly endpoint: string; readonly stateMachineArns: readonly string[] }
    | undefined;
  /** Absolute path of the folder that stands for the file system with a logical id that begins so. */
  fileSystem(logicalIdPrefix: string): string;
  /** The physical name of the resource with a logical id that begins so; see the template. */
  physicalName(logicalIdPrefix: string): string;
}

/** A running template. */
export interface Runtime {
  readonly endpoints: Endpoints;
  readonly administration: Administration;
  /** Drops every WebSocket connection without a closing handshake, as a network failure would. */
  dropConnections(): void;
  /**
   * Kills what the function with a logical id that begins so is doing, in the middle: every invocation ends as
   * `Runtime.ExitError`. Answers how many there were.
   */
  killFunction(logicalIdPrefix: string): number;
  /** How many invocations of the function are under way, those included whose caller waits no longer. */
  busyFunction(logicalIdPrefix: string): number;
  /** Stops everything and leaves the state for the next start. */
  close(): Promise<void>;
}

/**
 * Synthesizes the project's template and runs it. Resolves when everything is ready, `endpoints.json` written.
 * @throws StartError when something is missing, taken, or not supported, and the signal's reason when it is
 * aborted; then nothing is left running.
 */
export async function startRuntime(settings: RuntimeSettings): Promise<Runtime> {
  const state = await StateDirectory.open(settings.stateDirectory, settings.fresh);
  const closing = new Closing();
  closing.add(() => state.release());
  try {
    return await start(settings, state, closing);
  } catch (error) {
    // What kept it from starting is what the user must hear; why it did not stop well comes before.
    await closing.run().catch((failure: unknown) => settings.log(inspect(failure)));
    throw isPortTaken(error) ? portRefusal(error.port, error) : error;
  }
}

/** Somebody else took the port after `claimPorts` had found it free. */
function isPortTaken(error: unknown): error is Error & { readonly port: number } {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'EADDRINUSE' &&
    'port' in error &&
    typeof error.port === 'number'
  );
}

async function start(settings: RuntimeSettings, state: StateDirectory, closing: Closing): Promise<Runtime> {
  const ports = await claimPorts(settings.firstPort);
  const names = new FunctionNames();
  const log = (line: string) => settings.log(names.shorten(line));
  log('synthesizing the template …');
  const database = startDatabaseEarly({ state, log, closing });
  const build = new Build(settings.project, state, ports, settings);
  await build.clear();
  const { stack, secretNames } = await build.synthesize(settings.signal);

  const owner = ownerPrincipal(state.rootSecret);
  const principals = new Principals([owner]);
  const secrets = await startSecrets({ stack, state, ports, principals, log, closing });
  secretNames.resolve((name) => secrets.secretArn(name));
  names.learn(stack);

  // The services begin before what they wake.
  const events: { running?: RunningEvents } = {};
  log('starting DynamoDB, S3 and SQS …');
  const services = await startServices({
    stack,
    state,
    database,
    ports,
    principals,
    owner,
    onWrite: (tableName) => events.running?.onWrite(tableName),
    onObjectCreated: (created) => events.running?.onObjectCreated(created),
    onServed: settings.onStorageRequest,
    log,
    closing,
  });
  settings.signal?.throwIfAborted();

  const folderOf = (fileSystemId: string) => path.join(state.folder('file-systems'), fileSystemId);
  const functions = new FunctionFleet(stack, {
    endpoints: {
      AWS_ENDPOINT_URL_DYNAMODB: services.dynamoDb.endpoint,
      AWS_ENDPOINT_URL_S3: services.s3.endpoint,
      AWS_ENDPOINT_URL_SQS: services.sqs.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      AWS_ENDPOINT_URL_SFN: `http://${HOST}:${ports.workflows}`,
    },
    noRouteTo: await startNetworks(stack, { log, closing }),
    folderOf,
    rootSecret: state.rootSecret,
    log,
    onReport: (report) => settings.onReport?.(report),
  });
  principals.replace([owner, ...functions.principals]);
  const workflows = await startWorkflows({
    stack,
    state,
    ports,
    principals,
    functions,
    onStatus: (execution) => events.running?.onExecutionStatus(execution),
    clock: systemClock,
    log,
    closing,
  });
  const broker = await startBroker({
    stack,
    port: ports.broker,
    functions,
    principals,
    clock: systemClock,
    log,
    closing,
  });
  events.running = await startEvents({ stack, state, services, functions, owner, log, closing });
  workflows?.executions.tellOfLost();
  const apis = await startApis({
    stack,
    functions,
    principals,
    httpPort: ports.httpApi,
    socketPort: ports.socketApi,
    log,
  });
  closing.add(async () => {
    await Promise.all([apis.http.close(), apis.socket.close()]);
  });
  const page = await startStaticSite({ port: ports.page, ...(await readPage(stack)) });
  closing.add(() => page.close());
  // Before whatever waits for them, so that a job of minutes does not hold up the end: its message comes again.
  closing.add(() => functions.close());
  // Before the functions, whose ends would be tried again.
  closing.add(() => workflows?.executions.close());

  if (settings.watch) {
    const watcher = await watchSources({
      project: settings.project,
      folders: SOURCE_FOLDERS,
      onChange: rebuildOnChange({ build, secrets, functions, principals, owner, page, log }),
      log,
    });
    closing.add(() => watcher.close());
  }

  const endpoints: Endpoints = {
    dashboard: `http://${HOST}:${ports.page}`,
    api: apis.http.url,
    socket: apis.socket.url,
    ...(broker === undefined ? {} : { broker }),
    pid: process.pid,
  };
  const physicalName = (logicalIdPrefix: string) => {
    const found = [...stack.template.resources.keys()].find((id) => id.startsWith(logicalIdPrefix));
    if (found === undefined) throw new StartError(`The template has no resource ${logicalIdPrefix}…`);
    return referenceOf(stack, found);
  };
  settings.signal?.throwIfAborted();
  await state.announce(endpoints);
  closing.add(() => state.withdraw());
  return {
    endpoints,
    administration: {
      region: REGION,
      credentials: { accessKeyId: owner.accessKeyId, secretAccessKey: owner.secretAccessKey },
      dynamoDb: services.dynamoDb.endpoint,
      s3: services.s3.endpoint,
      secretsManager: secrets.endpoint,
      stepFunctions: workflows && {
        endpoint: workflows.endpoint,
        stateMachineArns: workflows.stateMachineArns,
      },
      fileSystem: (logicalIdPrefix) => folderOf(physicalName(logicalIdPrefix)),
      physicalName,
    },
    busyFunction: (logicalIdPrefix) => functions.find(physicalName(logicalIdPrefix)).busy,
    killFunction: (logicalIdPrefix) => functions.find(physicalName(logicalIdPrefix)).kill(),
    dropConnections: () => apis.socket.disconnectAll(),
    close: () => closing.run(),
  };
}
