import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { ACCOUNT, REGION } from '../account.ts';
import type { Clock } from '../clock.ts';
import type { InvocationOutcome } from '../functions/invocation.ts';
import type { Execution, ExecutionStatus, ExecutionStore } from './execution-store.ts';
import type { Library, Machine } from './machine.ts';
import { runWorkflow, type WorkflowEnd } from './run-workflow.ts';
import { PAYLOAD_LIMIT } from './task-error.ts';

/** What Step Functions refuses, by the name that the SDK gives the error. */
export class RefusedCallError extends Error {
  override readonly name = 'RefusedCallError';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** A state machine of the template. */
export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly machine: Machine;
}

/** Settings of `Executions`. */
export interface ExecutionsSettings {
  readonly library: Library;
  readonly stateMachines: readonly StateMachine[];
  readonly store: ExecutionStore;
  readonly invoke: (functionArn: string, payload: unknown) => Promise<InvocationOutcome>;
  /** Told of every start and every end, for EventBridge. */
  readonly onStatus: (execution: Execution) => void;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** What runs, and how it is stopped. */
interface Running {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/**
 * 1 to 80 characters, none of white space, brackets, wildcards, `"#%\^|~$&,;:/`, a backtick, or control characters
 * (SFN API Reference, StartExecution).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff\ud800-\udfff]{1,80}$/;

/** What an execution says that ended with the runtime under it: it was stopped, not wrong. */
const LOST = {
  cause: 'The local runtime ended while this execution ran. Executions do not survive its end.',
};

/** The executions of all state machines: starts them, stops them, knows what became of them. */
export class Executions {
  readonly #settings: ExecutionsSettings;
  readonly #stateMachines: ReadonlyMap<string, StateMachine>;
  readonly #running = new Map<string, Running>();
  readonly #lost: readonly Execution[];
  #closed = false;

  constructor(settings: ExecutionsSettings) {
    this.#settings = settings;
    this.#stateMachines = new Map(settings.stateMachines.map((machine) => [machine.arn, machine]));
    this.#lost = settings.store.list().filter(({ status }) => status === 'RUNNING');
  }

  /**
   * Starts an execution, or finds the one of that name and input that runs: "StartExecution is idempotent for
   * STANDARD workflows" (SFN API Reference).
   * @throws RefusedCallError StateMachineDoesNotExist, InvalidName, InvalidExecutionInput, ValidationException,
   *   ExecutionAlreadyExists
   */
  start(stateMachineArn: string, name = randomUUID() as string, input = '{}'): Execution {
    const stateMachine = this.#stateMachineOf(stateMachineArn);
    if (!NAME.test(name)) throw new RefusedCallError('InvalidName', `Invalid Name: '${name}'`);
    const value = readInput(input);
    const arn = executionArn(stateMachine.name, name);
    const known = this.#settings.store.find(arn);
    if (known !== undefined) {
      if (known.status === 'RUNNING' && known.input === input) return known;
      throw new RefusedCallError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const execution: Execution = {
      ...{ arn, stateMachineArn, name, status: 'RUNNING', startedAt: this.#settings.clock.now(), input },
      ...{ stoppedAt: undefined, output: undefined, error: undefined, cause: undefined },
    };
    if (this.#closed) throw new RefusedCallError('ServiceUnavailable', 'The local runtime is shutting down');
    this.#settings.store.put(execution);
    this.#settings.onStatus(execution);
    const stopping = new AbortController();
    this.#running.set(arn, { stopping, ended: this.#run(execution, stateMachine, value, stopping.signal) });
    return execution;
  }

  /**
   * Stops an execution: no further state starts, a function that runs goes on in Lambda. One that has ended stays
   * as it is.
   * @throws RefusedCallError ExecutionDoesNotExist
   */
  stop(arn: string, error: string | undefined, cause: string | undefined): Execution {
    const execution = this.describe(arn);
    const running = this.#running.get(arn);
    if (running === undefined || execution.status !== 'RUNNING') return execution;
    const stopped = this.#end(execution, { status: 'ABORTED', error, cause });
    running.stopping.abort();
    return stopped;
  }

  /** @throws RefusedCallError ExecutionDoesNotExist */
  describe(arn: string): Execution {
    const found = this.#settings.store.find(arn);
    if (found === undefined) {
      throw new RefusedCallError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    return found;
  }

  /**
   * The newest first.
   * @throws RefusedCallError StateMachineDoesNotExist
   */
  list(stateMachineArn: string, status?: ExecutionStatus): readonly Execution[] {
    this.#stateMachineOf(stateMachineArn);
    const all = this.#settings.store.list(stateMachineArn);
    return status === undefined ? all : all.filter((execution) => execution.status === status);
  }

  /**
   * Says of every execution that ran when the runtime ended last that it is lost: in the log, and to EventBridge,
   * so that whoever waits for its end hears of it. For when the rules of the template are there.
   */
  tellOfLost(): void {
    for (const execution of this.#lost) {
      this.#settings.log(
        `execution ${execution.name} is lost: it ran when the runtime ended, and does not survive that`,
      );
      this.#end(execution, { status: 'ABORTED', ...LOST });
    }
  }

  /** Starts nothing more and ends all executions; the next start says what was lost. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [arn, { stopping }] of this.#running) {
      this.#settings.log(`execution ${arn.slice(arn.lastIndexOf(':') + 1)} ends with the runtime`);
      stopping.abort();
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #stateMachineOf(arn: string): StateMachine {
    const found = this.#stateMachines.get(arn);
    if (found !== undefined) return found;
    throw new RefusedCallError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  /** Never rejects. */
  async #run(
    execution: Execution,
    stateMachine: StateMachine,
    input: ReturnType<typeof readInput>,
    signal: AbortSignal,
  ): Promise<void> {
    const { library, invoke, log } = this.#settings;
    const { arn, name, startedAt } = execution;
    try {
      const end = await runWorkflow({
        library,
        machine: stateMachine.machine,
        input,
        context: {
          Execution: {
            ...{ Id: arn, Name: name, RoleArn: stateMachine.roleArn },
            StartTime: new Date(startedAt).toISOString(),
          },
          StateMachine: { Id: stateMachine.arn, Name: stateMachine.name },
        },
        invoke,
        signal,
        log: (line) => log(`execution ${name}: ${line}`),
      });
      // Whoever stopped it has written that already, or the next start will say that it is lost.
      if (end.status !== 'ABORTED' && !signal.aborted) this.#end(execution, endOf(end));
    } catch (error) {
      // A defect of ours ends the execution, not the runtime.
      log(inspect(error));
      this.#end(execution, { status: 'FAILED', error: 'States.Runtime', cause: String(error) });
    } finally {
      this.#running.delete(arn);
    }
  }

  #end(execution: Execution, end: Pick<Execution, 'status'> & Partial<Execution>): Execution {
    const ended = { ...execution, ...end, stoppedAt: this.#settings.clock.now() };
    this.#settings.store.put(ended);
    const reason = [ended.error, ended.cause].filter((part) => part !== undefined).join(': ');
    this.#settings.log(`execution ${ended.name} ${ended.status}${reason === '' ? '' : ` ${reason}`}`);
    this.#settings.onStatus(ended);
    return ended;
  }
}

function executionArn(stateMachineName: string, name: string): string {
  return `arn:aws:states:${REGION}:${ACCOUNT}:execution:${stateMachineName}:${name}`;
}

function readInput(text: string) {
  const bytes = Buffer.byteLength(text);
  if (bytes > PAYLOAD_LIMIT) {
    const detail = `Member must have length less than or equal to ${PAYLOAD_LIMIT}`;
    throw new RefusedCallError(
      'ValidationException',
      `1 validation error detected: Value at 'input' failed to satisfy constraint: ${detail}`,
    );
  }
  try {
    // Whatever JSON.parse gives is a JSON value.
    return JSON.parse(text) as Parameters<typeof runWorkflow>[0]['input'];
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new RefusedCallError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${detail}'`);
  }
}

function endOf(end: Exclude<WorkflowEnd, { readonly status: 'ABORTED' }>) {
  if (end.status === 'SUCCEEDED') return { status: end.status, output: JSON.stringify(end.output) };
  return end.status === 'TIMED_OUT' ? { status: end.status, error: 'States.Timeout' } : end;
}
