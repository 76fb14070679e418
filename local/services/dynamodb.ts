import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { REGION } from '../account.ts';
import type { Clock } from '../clock.ts';
import { listen } from '../gateway/listening-server.ts';
import { denial, type Principal, type Principals } from '../permissions/principal.ts';
import { meaningOf } from './dynamodb-permissions.ts';
import { type DynamoDbProcess, startDynamoDbProcess } from './dynamodb-process.ts';
import { type CreatedTable, ensureTable, type TableSettings } from './dynamodb-tables.ts';
import { type AuthenticationStyle, isRefusal, readBytes, readJsonCall, refuseJson } from './json-service.ts';
import { HOST, type RunningService } from './running-service.ts';

/** How DynamoDB is to run here. */
export interface DynamoDbSettings {
  /** 0 for a free one. */
  readonly port: number;
  /** Where the data are kept; they survive a restart. */
  readonly directory: string;
  readonly tables: readonly TableSettings[];
  readonly principals: Principals;
  /** Whose credentials create the tables; must be among `principals`. */
  readonly owner: Principal;
  readonly clock: Clock;
  /** Called once a write is committed, with the table's name: event source mappings read the stream then. */
  readonly onWrite: (tableName: string) => void;
  readonly log: (line: string) => void;
  /** The Java command; by default that of `JAVA_HOME`, or else `java`. */
  readonly javaCommand?: string;
  /** DynamoDB Local, where its start was begun before; it is closed with the rest. */
  readonly database?: Promise<DynamoDbProcess>;
}

/** A running DynamoDB. */
export interface RunningDynamoDb extends RunningService {
  readonly tables: readonly CreatedTable[];
  /** The process id of Java. */
  readonly javaPid: number;
}

/** DynamoDB answers 400 where other services answer 403 (DynamoDB API Reference, "Common Errors"). */
const STYLE: AuthenticationStyle = { statusCode: 400, unknownAccessKey: 'UnrecognizedClientException' };

/** Milliseconds after which an idle connection to DynamoDB Local is closed. */
const IDLE_CONNECTION_MS = 10_000;

/**
 * Starts DynamoDB Local with, in front of it, what it lacks: signatures and permissions. It serves DynamoDB
 * and DynamoDB Streams. The tables are there when it resolves.
 *
 * @throws JavaMissingError, DatabaseStartError, TableDiffersError, and the system's error if the port is taken
 */
export async function startDynamoDb(settings: DynamoDbSettings): Promise<RunningDynamoDb> {
  const database = await (settings.database ?? startDatabase(settings));
  // Jetty inside DynamoDB Local ends a connection after 30 seconds of silence: we must be the first to do so,
  // or a call could be sent into a connection that is just being closed.
  const agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });
  try {
    const tables = await ensureTables(database, settings);
    const listening = await listen(HOST, settings.port);
    const calls = new Set<Promise<void>>();
    listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const call = answer(settings, database, agent, request, response).finally(() => calls.delete(call));
      calls.add(call);
    });
    return {
      endpoint: `http://${HOST}:${listening.port}`,
      port: listening.port,
      javaPid: database.javaPid,
      tables,
      close: async () => {
        await listening.close();
        agent.destroy();
        await Promise.all(calls);
        await database.close();
      },
    };
  } catch (error) {
    agent.destroy();
    await database.close();
    throw error;
  }
}

/**
 * Starts DynamoDB Local alone, which can be done before its tables are known.
 * @throws as `startDynamoDbProcess` does
 */
export async function startDatabase(
  settings: Pick<DynamoDbSettings, 'directory' | 'javaCommand' | 'log'> & { readonly signal?: AbortSignal },
): Promise<DynamoDbProcess> {
  const { directory, javaCommand, log, signal } = settings;
  return await startDynamoDbProcess({
    directory,
    ...(javaCommand === undefined ? {} : { javaCommand }),
    ...(signal === undefined ? {} : { signal }),
    onUnexpectedExit: (output) => log(`DynamoDB Local ended; stop and run npm start again.\n${output}`),
  });
}

async function ensureTables(
  database: DynamoDbProcess,
  settings: DynamoDbSettings,
): Promise<readonly CreatedTable[]> {
  const { accessKeyId, secretAccessKey } = settings.owner;
  const client = new DynamoDBClient({
    endpoint: `http://${HOST}:${database.port}`,
    region: REGION,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    const created: CreatedTable[] = [];
    // One after another: DynamoDB Local answers the first call slowly, and parallel ones no sooner.
    for (const table of settings.tables) created.push(await ensureTable(client, table));
    return created;
  } finally {
    client.destroy();
  }
}

/** Answers one call; never rejects. */
async function answer(
  settings: DynamoDbSettings,
  database: DynamoDbProcess,
  agent: Agent,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = await readBytes(request, response);
  if (bytes === undefined) return;
  const call = readJsonCall(request, bytes, settings.principals, settings.clock, STYLE);
  if (isRefusal(call)) return refuseJson(response, call);
  const meaning = meaningOf(call.operation, call.body);
  for (const { action, resource } of meaning.permissions) {
    const message = denial(call.principal, action, resource);
    if (message === undefined) continue;
    settings.log(`DynamoDB: ${message}`);
    const type = 'com.amazon.coral.service#AccessDeniedException';
    return refuseJson(response, { statusCode: 400, type, message });
  }
  try {
    const answered = await forward(database.port, agent, request, call.bytes);
    if (answered.statusCode === 200) {
      for (const table of meaning.writtenTables) settings.onWrite(table);
    }
    const body = await buffer(answered);
    if (call.operation === 'GetRecords') sendRecords(answered, body, response);
    else send(answered, body, response);
  } catch (error) {
    // Nobody waits any more, as when everything stops while a stream is being read.
    if (request.socket.destroyed) return;
    settings.log(`DynamoDB: ${call.operation} was not answered: ${String(error)}`);
    // 500 is what SDKs try again, as they would in AWS.
    if (response.headersSent) response.destroy();
    else {
      refuseJson(response, {
        statusCode: 500,
        type: 'InternalServerError',
        message: 'DynamoDB Local did not answer.',
      });
    }
  }
}

/** Sends the call on as it came. */
function forward(
  port: number,
  agent: Agent,
  request: IncomingMessage,
  bytes: Buffer,
): Promise<IncomingMessage> {
  const { connection: _connection, 'transfer-encoding': _encoding, ...kept } = request.headers;
  const headers = { ...kept, 'content-length': bytes.length };
  return new Promise((resolve, reject) => {
    httpRequest({ host: HOST, port, agent, method: 'POST', path: '/', headers }, resolve)
      .once('error', reject)
      .end(bytes);
  });
}

/** In one piece: an answer is at most 16 MB, and most are of a few hundred bytes. */
function send(answered: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { connection: _connection, 'transfer-encoding': _encoding, ...kept } = answered.headers;
  response.writeHead(answered.statusCode ?? 500, { ...kept, 'content-length': body.length }).end(body);
}

/**
 * Stream records as AWS has them. DynamoDB Local 3.3.1 names the Region "ddblocal", and a deletion by TTL
 * "UNKNOWN_TO_SDK_VERSION" without saying whose it was; in AWS it is a REMOVE by the service (DDG:
 * time-to-live-ttl-streams).
 */
function sendRecords(answered: IncomingMessage, body: Buffer, response: ServerResponse): void {
  // Of what DynamoDB Local sent.
  delete answered.headers['x-amz-crc32'];
  const identity = '"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}';
  // Quotes within an item's text are escaped, so these are members of a record and nothing else.
  const corrected = body
    .toString('utf8')
    .replaceAll('"eventName":"UNKNOWN_TO_SDK_VERSION"', `"eventName":"REMOVE",${identity}`)
    .replaceAll('"awsRegion":"ddblocal"', `"awsRegion":"${REGION}"`);
  send(answered, Buffer.from(corrected), response);
}
