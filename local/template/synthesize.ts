import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { StartError } from '../errors.ts';
import { type Assembly, readAssembly } from './assembly.ts';

const CdkJsonSchema = v.object({
  app: v.string(),
  context: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** What the command line asks for by itself: the path of each construct, by which the log names functions. */
const PATH_METADATA = { 'aws:cdk:enable-path-metadata': true };

/**
 * Runs the CDK app of `cdk.json` as the CDK's command line would (its contract is CDK_OUTDIR and
 * CDK_CONTEXT_JSON), without credentials, and reads what it made. `context` is added to that of `cdk.json`.
 * @throws StartError with what the app printed, when it fails; the signal's reason when it is aborted.
 */
export async function synthesize(
  project: string,
  directory: string,
  context: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Assembly> {
  const cdk = v.parse(CdkJsonSchema, JSON.parse(await readFile(path.join(project, 'cdk.json'), 'utf8')));
  await mkdir(directory, { recursive: true });
  const child = spawn(cdk.app, {
    cwd: project,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: pathWithOurNode(),
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdk.context, ...PATH_METADATA, ...context }),
    },
  });
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => printed.push(chunk));
  const stop = () => child.kill();
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
  return await readAssembly(directory);
}

/** `node` in `cdk.json` is the Node that runs us: the machine's own may be too old to read TypeScript. */
function pathWithOurNode(): string {
  return [path.dirname(process.execPath), process.env['PATH']].filter(Boolean).join(path.delimiter);
}
