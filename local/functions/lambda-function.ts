import { randomUUID } from 'node:crypto';
import { type Clock, systemClock, type Timer } from '../clock.ts';
import { type EnvironmentRun, ExecutionEnvironment } from './execution-environment.ts';
import type { FunctionError, InvocationOutcome, InvokableFunction } from './invocation.ts';
import { formatReport, type InvocationReport } from './invocation-report.ts';
import { readableOutput } from './output-lines.ts';
import type { FunctionDeployment, LambdaFunctionSettings } from './settings.ts';

/** Idle environments are ended after this time; Lambda keeps them for some minutes and documents no figure. */
const IDLE_MS = 5 * 60_000;
/** Environments of one function at once, see `LambdaFunctionSettings.environmentLimit`. */
const ENVIRONMENT_LIMIT = 16;
/** Request payload of a synchronous invocation, in bytes (aws-facts 6). */
const REQUEST_LIMIT = 6 * 1024 * 1024;
/** Response payload: 6 MB and some room for the envelope; the figure is in Lambda's own error message. */
const RESPONSE_LIMIT = 6_291_556;

interface Environment {
  readonly generation: number;
  readonly sandbox: ExecutionEnvironment;
  reaper?: Timer;
}

/**
 * A Lambda function of the template, run from its bundle in worker threads. One thread is one execution
 * environment: idle ones are used again, the most recently used first; when all are busy another is started
 * cold. What goes wrong in the function is an outcome with the error type that Lambda reports.
 */
export class LambdaFunction implements InvokableFunction {
  readonly name: string;
  readonly arn: string;
  readonly #clock: Clock;
  #settings: LambdaFunctionSettings;
  #generation = 0;
  /** Most recently used last. */
  readonly #idle: Environment[] = [];
  readonly #all = new Set<Environment>();
  readonly #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;
  #warnedOfPending = false;

  constructor(settings: LambdaFunctionSettings) {
    this.name = settings.name;
    this.arn = settings.arn;
    this.#clock = settings.clock ?? systemClock;
    this.#settings = settings;
  }

  async invoke(event: unknown): Promise<InvocationOutcome> {
    const requestId = randomUUID();
    const eventJson = JSON.stringify(event) ?? 'null';
    const refusal = this.#refusal(eventJson);
    if (refusal !== undefined) return { kind: 'failed', requestId, error: refusal };
    const invocation = this.#invoke(requestId, eventJson);
    this.#running.add(invocation);
    try {
      return await invocation;
    } finally {
      this.#running.delete(invocation);
    }
  }

  /**
   * Runs new invocations from another deployment (a bundle that was built anew). Those that run already end
   * in their old environment, which then goes.
   */
  replace(deployment: FunctionDeployment): void {
    this.#settings = { ...this.#settings, ...deployment };
    this.#generation += 1;
    this.#warnedOfPending = false;
    for (const environment of this.#idle.splice(0)) this.#endEnvironment(environment);
  }

  /** How many environments are at work, those included whose caller waits no longer. */
  get busy(): number {
    return [...this.#all].filter((environment) => !this.#idle.includes(environment)).length;
  }

  /**
   * Ends the threads of all running invocations in the middle, as too little memory or a fault of the machine would;
   * each becomes a `Runtime.ExitError`. Answers how many there were.
   */
  kill(): number {
    const running = [...this.#all].filter((environment) => !this.#idle.includes(environment));
    for (const { sandbox } of running) void sandbox.terminate();
    return running.length;
  }

  /** Takes no more events, lets running ones finish for `graceMs`, and ends all threads. */
  async close(graceMs = 2_000): Promise<void> {
    this.#closed = true;
    let timer: Timer | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = this.#clock.schedule(graceMs, resolve);
    });
    await Promise.race([Promise.allSettled(this.#running), grace]);
    timer?.cancel();
    for (const environment of this.#all) this.#endEnvironment(environment);
    for (const resume of this.#waiting.splice(0)) resume();
    await Promise.all(this.#ending);
    await Promise.allSettled(this.#running);
  }

  #refusal(eventJson: string): FunctionError | undefined {
    if (this.#closed) return plainError('ServiceException', `${this.name} is shutting down`);
    const limit = this.#settings.maximumConcurrency;
    if (limit !== undefined && this.#running.size >= limit) {
      return plainError('TooManyRequestsException', 'Rate Exceeded.');
    }
    const bytes = Buffer.byteLength(eventJson);
    if (bytes <= REQUEST_LIMIT) return undefined;
    const text = `Request must be smaller than ${REQUEST_LIMIT} bytes for the InvokeFunction operation (${bytes})`;
    return plainError('RequestTooLargeException', text);
  }

  async #invoke(requestId: string, eventJson: string): Promise<InvocationOutcome> {
    const environment = await this.#acquire();
    if (environment === undefined) {
      return {
        kind: 'failed',
        requestId,
        error: plainError('ServiceException', `${this.name} is shutting down`),
      };
    }
    const run = await environment.sandbox.run(requestId, eventJson);
    this.#release(environment, run.discarded);
    const outcome = toOutcome(requestId, run);
    this.#report(outcome, run);
    return outcome;
  }

  /** An idle environment or a new one; waits where this machine runs enough of them. */
  async #acquire(): Promise<Environment | undefined> {
    const limit = this.#settings.environmentLimit ?? ENVIRONMENT_LIMIT;
    while (!this.#closed) {
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        idle.reaper?.cancel();
        return idle;
      }
      if (this.#all.size < limit) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#closed) return undefined;
    const settings = { ...this.#settings, clock: this.#clock };
    const onOutput = (line: string) => settings.log(`${this.name} ${readableOutput(line)}`);
    const environment = {
      generation: this.#generation,
      sandbox: new ExecutionEnvironment(settings, onOutput),
    };
    this.#all.add(environment);
    return environment;
  }

  #release(environment: Environment, discarded: boolean): void {
    if (discarded || environment.generation !== this.#generation || this.#closed) {
      this.#endEnvironment(environment);
    } else {
      this.#idle.push(environment);
      environment.reaper = this.#clock.schedule(IDLE_MS, () => {
        this.#idle.splice(this.#idle.indexOf(environment), 1);
        this.#endEnvironment(environment);
      });
    }
    this.#waiting.shift()?.();
  }

  #endEnvironment(environment: Environment): void {
    environment.reaper?.cancel();
    this.#all.delete(environment);
    const ending = environment.sandbox.terminate();
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }

  #report(outcome: InvocationOutcome, run: EnvironmentRun): void {
    const report: InvocationReport = {
      functionName: this.name,
      requestId: outcome.requestId,
      durationMs: run.durationMs,
      ...(run.initMs !== undefined && { initMs: run.initMs }),
      cold: run.initMs !== undefined,
      peakMemoryMb: run.peakMemoryMb,
      outcome: outcome.kind === 'failed' ? outcome.error : 'returned',
    };
    this.#settings.log(formatReport(report));
    if (outcome.kind === 'failed') for (const line of outcome.error.trace) this.#settings.log(`  ${line}`);
    if (run.pending.length > 0 && !this.#warnedOfPending) {
      this.#warnedOfPending = true;
      this.#settings.log(
        `${this.name} WARNING: it answered while work was still under way (${run.pending.join(', ')}). ` +
          'Lambda freezes the environment after the response, and so does this runtime: ' +
          'the work goes on with the next invocation, or never. Await it in the handler.',
      );
    }
    this.#settings.onReport?.(report);
  }
}

function toOutcome(requestId: string, run: EnvironmentRun): InvocationOutcome {
  if ('error' in run.result) return { kind: 'failed', requestId, error: run.result.error };
  const { payload, payloadBytes } = run.result;
  if (payloadBytes <= RESPONSE_LIMIT) return { kind: 'returned', requestId, payload };
  const text = `Response payload size exceeded maximum allowed payload size (${RESPONSE_LIMIT} bytes).`;
  return { kind: 'failed', requestId, error: plainError('Function.ResponseSizeTooLarge', text) };
}

function plainError(errorType: string, errorMessage: string): FunctionError {
  return { errorType, errorMessage, trace: [] };
}
