import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { HELP, parseCommandLine } from './command-line.ts';
import { StartError } from './errors.ts';
import { startRuntime } from './runtime/runtime.ts';
import { welcome } from './welcome.ts';

/**
 * A signal that comes so soon after the first, in milliseconds, is the same request: npm passes on the Ctrl-C
 * that the terminal has sent to us already.
 */
const SAME_REQUEST_MS = 1000;

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
  const stop = requestToStop();
  const begun = performance.now();
  const project = fileURLToPath(new URL('..', import.meta.url));
  try {
    const runtime = await startRuntime({
      project,
      stateDirectory: path.resolve(options.state ?? path.join(project, '.jobwire')),
      firstPort: options.port,
      fresh: options.fresh,
      watch: options.watch,
      context: options.context,
      signal: stop,
      log: (line) => console.log(`${new Date().toISOString().slice(11, 23)} ${line}`),
    });
    console.log(welcome(runtime.endpoints, performance.now() - begun));
    await aborted(stop);
    await runtime.close();
  } catch (error) {
    // Whoever stops the start knows why there is none.
    if (!(error instanceof StartError) || !stop.aborted) throw error;
  }
}

/** Aborted at the first request to stop. */
function requestToStop(): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new StartError('Stopped before it was ready.'));
  let requestedAt: number | undefined;
  const request = () => {
    if (requestedAt !== undefined) {
      if (performance.now() - requestedAt > SAME_REQUEST_MS) process.exit(130);
      return;
    }
    requestedAt = performance.now();
    console.log('\nStopping …');
    abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, request);
  // Nobody reads any more: the terminal was closed, or the other end of a pipe.
  for (const output of [process.stdout, process.stderr]) output.on('error', abort);
  return controller.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
