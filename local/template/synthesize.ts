import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { StartError } from '../errors.ts';

const CdkJsonSchema = v.object({
  app: v.string(),
  context: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** What the command line asks for by itself: the path of each construct, by which the log names functions. */
const PATH_METADATA = { 'aws:cdk:enable-path-metadata': true };

/**
 * What makes the app quick, measured as processor time on two cores. The CDK's check of the template against
 * CloudFormation's schemas takes 2.7 of 3.7 s and says nothing of what runs here; `cdk synth`, `cdk deploy` and
 * the tests have it. Node's cache of compiled sources, at its own default place, takes 0.3 of the last second.
 */
const QUICK = {
  CDK_VALIDATION: 'false',
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? path.join(tmpdir(), 'node-compile-cache'),
};

/** Windows has no groups of processes; an app that is stopped there runs to its end first. */
const HAS_GROUPS = process.platform !== 'win32';

/**
 * Runs the CDK app of `cdk.json` as the CDK's command line would (its contract is CDK_OUTDIR and
 * CDK_CONTEXT_JSON), without credentials, into `directory`. `contextOf` makes the app's context of that of
 * `cdk.json`.
 * @throws StartError with what the app printed, when it fails; the signal's reason when it is aborted.
 */
export async function synthesize(
  project: string,
  directory: string,
  contextOf: (context: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<void> {
  const cdk = v.parse(CdkJsonSchema, JSON.parse(await readFile(path.join(project, 'cdk.json'), 'utf8')));
  // Whatever an app that is stopped leaves behind goes with the assembly.
  const temporary = path.join(directory, 'temporary');
  await mkdir(temporary, { recursive: true });
  signal?.throwIfAborted(); // an abort that has happened is not told to listeners any more
  const child = spawn(cdk.app, {
    cwd: project,
    shell: true,
    detached: HAS_GROUPS,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...QUICK,
      PATH: pathWithOurNode(),
      ...{ TMPDIR: temporary, TMP: temporary, TEMP: temporary },
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify({ ...contextOf(cdk.context), ...PATH_METADATA }),
    },
  });
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => printed.push(chunk));
  const stop = () => end(child);
  signal?.addEventListener('abort', stop, { once: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  if (code !== 0) {
    throw new StartError(
      `The template could not be synthesized:\n${Buffer.concat(printed).toString('utf8').trim()}`,
    );
  }
}

/** Ends the app with the shell that runs it. */
function end(shell: ChildProcess): void {
  if (!HAS_GROUPS || shell.pid === undefined) return;
  try {
    process.kill(-shell.pid, 'SIGTERM');
  } catch (error) {
    // ESRCH: all of them are gone, and the end of their output is about to be told.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** `node` in `cdk.json` is the Node that runs us: the machine's own may be too old to read TypeScript. */
function pathWithOurNode(): string {
  return [path.dirname(process.execPath), process.env['PATH']].filter(Boolean).join(path.delimiter);
}
