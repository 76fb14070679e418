import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { buildContext } from './context.ts';
import { type Handler, loadHandler } from './load-handler.ts';
import type { InvokeMessage, WireError, WorkerMessage, WorkerSettings } from './messages.ts';
import { RuntimeError, toWireError } from './wire-error.ts';

/*
 * The thread of one execution environment. It is bundled into one script (../worker-script.ts), so it may
 * import its neighbours, and the machine's TypeScript loader or a test runner never touches it.
 */

const BYTES_PER_MB = 1024 * 1024;

/** Resources that a resting environment owns anyway. */
const OWN_RESOURCES = new Set(['MessagePort', 'Immediate', 'CloseReq']);

if (parentPort === null) throw new Error('This script runs in a worker thread only');
const port = parentPort;
// Set by ../execution-environment.ts, which compiles against the same type.
const settings = workerData as WorkerSettings;
const thaws = new Int32Array(settings.thaw);

function send(message: WorkerMessage): void {
  port.postMessage(message);
}

/** Output leaves as a message at once: a frozen worker could not flush the stream of worker_threads. */
function captureOutput(stream: NodeJS.WriteStream): void {
  const write = (
    chunk: string | Uint8Array,
    encodingOrCallback?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    send({ kind: 'output', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8') });
    const done = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  // One signature that serves both overloads of WriteStream.write.
  stream.write = write as typeof stream.write;
}

function crash(error: WireError): void {
  send({ kind: 'crashed', error });
  process.exit(1);
}

function memoryMb(): number {
  const statistics = getHeapStatistics();
  return (statistics.used_heap_size + statistics.external_memory) / BYTES_PER_MB;
}

/** One turn of the event loop, so that what ends together with the handler is not called pending. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pendingResources(): string[] {
  return process.getActiveResourcesInfo().filter((resource) => !OWN_RESOURCES.has(resource));
}

let invoking = false;

async function invoke(handler: Handler, message: InvokeMessage): Promise<void> {
  // After a thaw the same turn may bring sockets that the other side closed meanwhile: let their owners
  // hear of it before the handler picks one.
  await nextTurn();
  // From here an event loop that runs empty means that the handler waits for nothing.
  invoking = true;
  port.unref();
  let outcome: { payloadJson: string } | { error: WireError };
  try {
    const context = buildContext(settings, message, process.env);
    outcome = { payloadJson: serialize(await handler(JSON.parse(message.eventJson), context)) };
  } catch (error) {
    outcome = { error: toWireError(error) };
  }
  invoking = false;
  port.ref();
  await nextTurn();
  const state = { memoryMb: memoryMb(), pending: pendingResources() };
  const seen = Atomics.load(thaws, 0);
  if ('error' in outcome) send({ kind: 'threw', ...outcome, ...state });
  else send({ kind: 'returned', ...outcome, ...state });
  // Lambda freezes the environment after the response: nothing runs until the next invocation.
  Atomics.wait(thaws, 0, seen);
}

function serialize(result: unknown): string {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch (error) {
    // The words of Lambda's runtime interface client.
    throw new Error('Unable to stringify response body', { cause: error });
  }
}

captureOutput(process.stdout);
captureOutput(process.stderr);
process.on('uncaughtException', (error) => crash(toWireError(error)));
process.on('unhandledRejection', (reason) => {
  const error = toWireError(reason);
  const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  crash({ ...error, errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: text });
});
process.on('beforeExit', () => {
  if (!invoking) return;
  const text = 'The handler waits for a promise that nothing can settle any more (the event loop is empty)';
  crash(toWireError(new RuntimeError('Runtime.NodeJsExit', text)));
});

try {
  const handler = await loadHandler(settings.taskRoot, settings.handler);
  port.on('message', (message: InvokeMessage) => void invoke(handler, message));
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'init-failed', error: toWireError(error) });
}
