import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { HELP, parseCommandLine, type StartOptions } from './command-line.ts';
import { StartError } from './errors.ts';
import { type Runtime, startRuntime } from './runtime/runtime.ts';
import { welcome } from './welcome.ts';

/**
 * `npm start`: runs the template of this project until it is told to stop. Exit codes: 0 after Ctrl-C or a
 * SIGTERM, 1 when it could not start, 130 when a second Ctrl-C did not want to wait.
 */
async function main(arguments_: readonly string[]): Promise<void> {
  const options = parseCommandLine(arguments_);
  if (options.help) {
    console.log(HELP);
    return;
  }
  const interrupted = firstSignal();
  const runtime = await start(options);
  await interrupted;
  console.log('\nStopping …');
  process.once('SIGINT', () => process.exit(130));
  await runtime.close();
}

async function start(options: StartOptions): Promise<Runtime> {
  const begun = performance.now();
  const project = fileURLToPath(new URL('..', import.meta.url));
  const runtime = await startRuntime({
    project,
    stateDirectory: path.resolve(options.state ?? path.join(project, '.jobwire')),
    firstPort: options.port,
    fresh: options.fresh,
    watch: options.watch,
    log: (line) => console.log(`${new Date().toISOString().slice(11, 23)} ${line}`),
  });
  console.log(welcome(runtime.endpoints, performance.now() - begun));
  return runtime;
}

/** Resolves at the first request to stop. */
async function firstSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
