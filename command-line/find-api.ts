import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { apiOfStack } from './stack-outputs.ts';

/** What the command line says of where the API is. */
export interface ApiOptions {
  readonly api?: string | undefined;
  readonly stack?: string | undefined;
}

/** What `npm start` of Jobwire keeps in `.jobwire/endpoints.json`; `api` comes when it is ready. */
const EndpointsSchema = v.object({ api: v.optional(v.string()), pid: v.number() });

/**
 * Finds the API: `--api`, `--stack`, `JOBWIRE_API`, or the local runtime of this folder or one above, in this order.
 * @throws CommandError that says what to do, when there is none or what names it is not usable.
 */
export async function findApi(
  options: ApiOptions,
  environment: NodeJS.ProcessEnv,
  folder: string,
): Promise<string> {
  if (options.api !== undefined) return readUrl('--api', options.api);
  if (options.stack !== undefined) return await apiOfStack(options.stack);
  const variable = environment['JOBWIRE_API'];
  if (variable !== undefined && variable !== '') return readUrl('JOBWIRE_API', variable);
  const local = await findLocalRuntime(folder);
  if (local !== undefined) return local;
  throw new CommandError(
    `Which Jobwire? None runs in ${folder} or a folder above it (npm start). Otherwise say --api URL, --stack NAME of a deployed stack, or set JOBWIRE_API.`,
    EXIT.usage,
  );
}

function readUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new CommandError(`${name} must be a URL such as http://127.0.0.1:8401, not "${text}".`, EXIT.usage);
}

async function findLocalRuntime(folder: string): Promise<string | undefined> {
  const file = path.join(folder, '.jobwire', 'endpoints.json');
  const text = await readIfThere(file);
  if (text === undefined) {
    const parent = path.dirname(folder);
    return parent === folder ? undefined : await findLocalRuntime(parent);
  }
  const endpoints = v.safeParse(EndpointsSchema, parseJson(text));
  if (!endpoints.success || !isAlive(endpoints.output.pid)) {
    throw new CommandError(
      `${file} is of a Jobwire that runs no more: start it with npm start.`,
      EXIT.refused,
    );
  }
  if (endpoints.output.api === undefined) {
    throw new CommandError(`The Jobwire of ${file} is still starting: try again in a moment.`, EXIT.refused);
  }
  return endpoints.output.api;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** A file that a crash has cut short names nobody. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM'); // alive, but somebody else's
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
