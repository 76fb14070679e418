import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../clock.ts';
import type { FunctionError } from './invocation.ts';
import { lambdaEnvironment } from './lambda-environment.ts';
import { LineSplitter } from './output-lines.ts';
import type { LambdaFunctionSettings } from './settings.ts';
import type { InvokeMessage, WorkerMessage, WorkerSettings } from './worker/messages.ts';
import { workerScript } from './worker-script.ts';

/** How often the memory of a running invocation is looked at, in milliseconds. */
const MEMORY_SAMPLE_MS = 50;
/**
 * Room that V8 gets beyond the function's memory, in megabytes. V8 answers to its own limit by ending the
 * whole process in bad cases, so the samples must find an overrun first.
 */
const HEAP_LEEWAY_MB = 512;
/** The init phase may take this long before it counts against the function's time-out (aws-facts 6). */
const INIT_LIMIT_MS = 10_000;
const BYTES_PER_MB = 1024 * 1024;

/** How one run of an environment ended; `discarded` means that the environment cannot take another event. */
export interface EnvironmentRun {
  readonly result:
    | { readonly payload: unknown /** Of its JSON text, in bytes. */; readonly payloadBytes: number }
    | { readonly error: FunctionError };
  readonly discarded: boolean;
  readonly durationMs: number;
  /** Present for the first run. */
  readonly initMs?: number;
  readonly peakMemoryMb: number;
  /** Work that the handler left behind, by type of resource; frozen until the next invocation. */
  readonly pending: readonly string[];
}

/** Settings of `ExecutionEnvironment`. */
export interface EnvironmentSettings extends LambdaFunctionSettings {
  readonly clock: Clock;
}

type End = Pick<EnvironmentRun, 'result' | 'discarded' | 'pending'> & { readonly memoryMb?: number };

/**
 * One execution environment: a worker thread that has loaded the bundle and takes one event at a time.
 * Between two events the thread sleeps, as Lambda freezes an environment: work that the handler did not
 * await stands still until the next event.
 *
 * Limits of the likeness: a thread shares the process, so the file system, the time zone, the working
 * directory and `process.pid` are those of the machine; memory counts the thread's heap and buffers only.
 */
export class ExecutionEnvironment {
  readonly #settings: EnvironmentSettings;
  readonly #worker: Worker;
  readonly #thaws = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #startedAt = performance.now();
  readonly #ready = Promise.withResolvers<FunctionError | undefined>();
  readonly #output: LineSplitter;
  #initMs: number | undefined;
  #requestId = '';
  #finish: ((end: End) => void) | undefined;
  #exited: Promise<unknown> | undefined;
  #brokenBy: FunctionError | undefined;

  constructor(settings: EnvironmentSettings, onOutput: (line: string) => void) {
    this.#settings = settings;
    this.#output = new LineSplitter(onOutput);
    const workerData: WorkerSettings = {
      taskRoot: settings.bundle,
      handler: settings.handler,
      functionName: settings.name,
      functionArn: settings.arn,
      memoryMb: settings.memoryMb,
      // Made from a SharedArrayBuffer in this class.
      thaw: this.#thaws.buffer as SharedArrayBuffer,
    };
    this.#worker = new Worker(workerScript(), {
      name: settings.name,
      workerData,
      env: lambdaEnvironment(settings),
      // Options of the machine's own process (loaders, inspectors, a test runner's) are not the function's.
      execArgv: [],
      // Only what Node itself prints comes this way; the worker sends the function's output as messages.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb + HEAP_LEEWAY_MB },
    });
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    }
    this.#worker.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(workerError(error)));
    this.#worker.on('exit', (code) =>
      this.#fail({ errorType: 'Runtime.ExitError', errorMessage: exitMessage(code), trace: [] }),
    );
  }

  /** Runs one event; never rejects. The caller makes sure that no other runs. */
  async run(requestId: string, eventJson: string): Promise<EnvironmentRun> {
    this.#requestId = requestId;
    const first = this.#initMs === undefined;
    const end = Promise.withResolvers<End>();
    this.#finish = end.resolve;
    const memory = this.#watchMemory();
    const initLimit = first ? this.#limit(INIT_LIMIT_MS + this.#settings.timeoutMs) : undefined;
    // It may have broken down while no run waited for it.
    if (this.#brokenBy !== undefined) this.#fail(this.#brokenBy);
    // What ends the environment while it starts ends the run too.
    await Promise.race([this.#ready.promise, end.promise]);
    initLimit?.cancel();
    const startedAt = performance.now();
    const limit = this.#limit(this.#settings.timeoutMs);
    if (this.#initMs !== undefined) this.#send(requestId, eventJson);
    const { memoryMb, ...ended } = await end.promise;
    limit.cancel();
    const durationMs = performance.now() - startedAt;
    const peakMemoryMb = Math.max(memory.stop(), memoryMb ?? 0);
    if (ended.discarded) await this.terminate();
    return {
      ...ended,
      durationMs,
      peakMemoryMb,
      ...(first && { initMs: this.#initMs ?? startedAt - this.#startedAt }),
    };
  }

  /** Ends the thread, also in the middle of an event; settles when it is gone. */
  async terminate(): Promise<void> {
    this.#exited ??= this.#worker.terminate();
    await this.#exited;
    this.#output.flush();
  }

  #send(requestId: string, eventJson: string): void {
    const message: InvokeMessage = {
      kind: 'invoke',
      requestId,
      eventJson,
      timeoutMs: this.#settings.timeoutMs,
    };
    this.#worker.postMessage(message);
    Atomics.add(this.#thaws, 0, 1);
    Atomics.notify(this.#thaws, 0);
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#initMs = performance.now() - this.#startedAt;
        this.#ready.resolve(undefined);
        return;
      case 'output':
        this.#output.push(message.text);
        return;
      case 'returned':
        this.#end({ ...message, result: parsePayload(message.payloadJson), discarded: false });
        return;
      case 'threw':
        this.#end({ ...message, result: { error: message.error }, discarded: false });
        return;
      case 'init-failed':
      case 'crashed':
        this.#fail(message.error);
        return;
      default:
        message satisfies never;
    }
  }

  #end(end: End): void {
    this.#output.flush();
    this.#finish?.(end);
    this.#finish = undefined;
  }

  #fail(error: FunctionError): void {
    // The first reason counts; the exit that follows every other one says nothing new.
    this.#brokenBy ??= error;
    this.#end({ result: { error }, discarded: true, pending: [] });
  }

  #limit(delayMs: number): Timer {
    return this.#settings.clock.schedule(delayMs, () => {
      const seconds = (this.#settings.timeoutMs / 1000).toFixed(2);
      this.#fail(
        sandboxError(this.#requestId, 'Sandbox.Timedout', `Task timed out after ${seconds} seconds`),
      );
    });
  }

  /** Looks at the memory while the invocation runs and ends the environment that has too much. */
  #watchMemory(): { stop(): number } {
    let peakMemoryMb = 0;
    let asking = false;
    const sample = async () => {
      if (asking) return;
      asking = true;
      try {
        const statistics = await this.#worker.getHeapStatistics();
        const memoryMb = (statistics.used_heap_size + statistics.external_memory) / BYTES_PER_MB;
        peakMemoryMb = Math.max(peakMemoryMb, memoryMb);
        if (memoryMb > this.#settings.memoryMb) this.#fail(outOfMemory(this.#requestId));
      } catch (error) {
        // The thread ended between the tick and the answer; its exit is reported by itself.
        if (!(error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_NOT_RUNNING'))
          throw error;
      } finally {
        asking = false;
      }
    };
    const interval = setInterval(() => void sample(), MEMORY_SAMPLE_MS);
    return {
      stop: () => {
        clearInterval(interval);
        return peakMemoryMb;
      },
    };
  }
}

/** The worker wrote this text with `JSON.stringify`. */
function parsePayload(payloadJson: string): { payload: unknown; payloadBytes: number } {
  return { payload: JSON.parse(payloadJson), payloadBytes: Buffer.byteLength(payloadJson) };
}

function sandboxError(requestId: string, errorType: string, text: string): FunctionError {
  return { errorType, errorMessage: `RequestId: ${requestId} Error: ${text}`, trace: [] };
}

function outOfMemory(requestId: string): FunctionError {
  return sandboxError(requestId, 'Runtime.OutOfMemory', 'Runtime exited with error: signal: killed');
}

function exitMessage(code: number): string {
  if (code === 0) return 'Error: Runtime exited without providing a reason';
  return `Error: Runtime exited with error: exit status ${code}`;
}

/** What Node reports of a thread that broke down. */
function workerError(error: unknown): FunctionError {
  if (!(error instanceof Error))
    return { errorType: 'Runtime.ExitError', errorMessage: String(error), trace: [] };
  const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return {
    errorType: isMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError',
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  };
}
