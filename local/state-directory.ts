import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import * as v from 'valibot';
import { StartError } from './errors.ts';

/** Where a running Jobwire answers; the content of `.jobwire/endpoints.json`. */
export interface Endpoints {
  readonly dashboard: string;
  readonly api: string;
  readonly socket: string;
  /** Where the template broadcasts: the MQTT broker, over WebSockets. */
  readonly broker?: string;
  readonly pid: number;
}

const EndpointsSchema = v.object({
  dashboard: v.string(),
  api: v.string(),
  socket: v.string(),
  broker: v.exactOptional(v.string()),
  pid: v.number(),
});

/** The folder that holds everything which survives a restart. One process uses it at a time. */
export class StateDirectory {
  readonly path: string;
  /** From which the secrets of local credentials are derived; stays the same over restarts. */
  readonly rootSecret: string;

  private constructor(directory: string, rootSecret: string) {
    this.path = directory;
    this.rootSecret = rootSecret;
  }

  /**
   * Opens the folder, empty if `fresh`.
   * @throws StartError when another process uses it, when it cannot be written to, and when `fresh` would
   * delete a folder that is not ours.
   */
  static async open(directory: string, fresh: boolean): Promise<StateDirectory> {
    try {
      await refuseSecondProcess(directory);
      if (fresh) await remove(directory);
      await mkdir(directory, { recursive: true });
      // Claims the folder before anything is started in it; `announce` completes the file.
      await claim(directory);
      return new StateDirectory(directory, await readOrMakeSecret(path.join(directory, SECRET_FILE)));
    } catch (cause) {
      if (!(cause instanceof Error) || !('code' in cause)) throw cause;
      throw new StartError(
        `The state folder ${directory} cannot be used (${cause.message}). Choose another: npm start -- --state <folder>`,
        { cause },
      );
    }
  }

  /** A folder of one part of the runtime; it is made by whoever uses it. */
  folder(name: string): string {
    return path.join(this.path, name);
  }

  /** Says that everything is ready, and where. */
  async announce(endpoints: Endpoints): Promise<void> {
    await writeFile(endpointsFile(this.path), `${JSON.stringify(endpoints, undefined, 2)}\n`);
  }

  /** Says that it is over, while the folder is still in use. */
  async withdraw(): Promise<void> {
    await claim(this.path);
  }

  /** Gives the folder free. */
  async release(): Promise<void> {
    await rm(endpointsFile(this.path), { force: true });
  }
}

/** Made by the first start in a folder, and therefore the mark of a folder that is ours. */
const SECRET_FILE = 'root-secret';

async function remove(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  if (names.length > 0 && !names.includes(SECRET_FILE)) {
    throw new StartError(
      `--fresh would delete ${directory}, which was not made by Jobwire. Choose an empty folder with --state, or delete it yourself.`,
    );
  }
  await rm(directory, { recursive: true, force: true });
}

async function claim(directory: string): Promise<void> {
  await writeFile(endpointsFile(directory), JSON.stringify({ pid: process.pid }));
}

function endpointsFile(directory: string): string {
  return path.join(directory, 'endpoints.json');
}

async function refuseSecondProcess(directory: string): Promise<void> {
  const text = await readIfThere(endpointsFile(directory));
  if (text === undefined) return;
  const claimed = v.safeParse(v.object({ pid: v.number() }), parseJson(text));
  if (!claimed.success || !isAlive(claimed.output.pid)) return;
  const endpoints = v.safeParse(EndpointsSchema, parseJson(text));
  // After a crash the process may be somebody else's by now, who got the same number: ours would answer.
  if (endpoints.success && !(await accepts(endpoints.output.dashboard))) return;
  const where = endpoints.success ? ` Its page is ${endpoints.output.dashboard}.` : '';
  throw new StartError(
    `Jobwire runs already on ${directory} (process ${claimed.output.pid}).${where} Stop it with Ctrl-C there, or with: kill ${claimed.output.pid}`,
  );
}

/** A file that a crash has cut short is no claim. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error, 'EPERM'); // alive, but somebody else's
  }
}

async function accepts(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false;
  const { hostname, port } = new URL(url);
  return await new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function readOrMakeSecret(file: string): Promise<string> {
  const kept = await readIfThere(file);
  if (kept !== undefined) return kept;
  const secret = randomBytes(32).toString('base64url');
  await writeFile(file, secret, { mode: 0o600 });
  return secret;
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
