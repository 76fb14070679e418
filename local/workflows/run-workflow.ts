import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunOptions, StateMachine } from 'aws-local-stepfunctions';
import type { InvocationOutcome } from '../functions/invocation.ts';
import type { Library, Machine, Step } from './machine.ts';
import { dataLimitExceeded, exceedsLimit, StateError, taskErrorOf } from './task-error.ts';

type Run = ReturnType<StateMachine['run']>;
type Json = Awaited<Run['result']>;
type Context = NonNullable<RunOptions['context']>;
type StateEvent = Run['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

/** One execution, or one item of a Map within it. */
export interface WorkflowRun {
  readonly library: Library;
  readonly machine: Machine;
  readonly input: Json;
  /** The Context Object; the library adds input and start of the execution. */
  readonly context: Context;
  /** Invokes a function and waits for its end. What is dropped goes on in Lambda. */
  readonly invoke: (functionArn: string, payload: unknown) => Promise<InvocationOutcome>;
  /** Ends the execution: no further state starts, answers of functions that run are dropped. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** How an execution ended; an abort is the doing of whoever has the signal. */
export type WorkflowEnd =
  | { readonly status: 'SUCCEEDED'; readonly output: unknown }
  | { readonly status: 'FAILED'; readonly error: string | undefined; readonly cause: string | undefined }
  | { readonly status: 'TIMED_OUT' }
  | { readonly status: 'ABORTED' };

/** Runs an execution to its end; never rejects but for a defect. */
export async function runWorkflow(run: WorkflowRun): Promise<WorkflowEnd> {
  try {
    return { status: 'SUCCEEDED', output: await runMachine(run) };
  } catch (error) {
    const { ExecutionAbortedError, ExecutionError, ExecutionTimeoutError } = run.library;
    if (run.signal.aborted || error instanceof ExecutionAbortedError) return { status: 'ABORTED' };
    if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT' };
    const reason = error instanceof ExecutionError ? error.cause : error;
    if (!(reason instanceof Error)) throw error;
    return { status: 'FAILED', ...errorAndCause(reason) };
  }
}

/** What the library says of a Fail state that does not say it itself. */
const UNNAMED_FAILURE = { name: 'FailStateError', message: 'Execution failed because of a Fail state' };

function errorAndCause({ name, message }: Error): {
  readonly error: string | undefined;
  readonly cause: string | undefined;
} {
  return {
    error: name === UNNAMED_FAILURE.name ? undefined : name,
    cause: message === UNNAMED_FAILURE.message ? undefined : message,
  };
}

async function runMachine(run: WorkflowRun): Promise<Json> {
  const { library, machine, input, context, signal } = run;
  const ended = new AbortController();
  const scope = { ...run, signal: AbortSignal.any([signal, ended.signal]) };
  const { result, abort, eventLogs } = new library.StateMachine(machine.definition, {
    validationOptions: { noValidate: true }, // looked through when it was read
  }).run(input, {
    context,
    overrides: { taskResourceLocalHandlers: handlersOf(scope) },
  });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    // Both: the output of the last state is measured, too, before it is anybody's result.
    const [output] = await Promise.all([result, follow(eventLogs, run)]);
    return output;
  } finally {
    signal.removeEventListener('abort', abort);
    // What is left of it (a task that was dropped, a pause before a retry) starts nothing more.
    ended.abort();
    abort();
  }
}

/**
 * Tells of errors that do not end the execution. Resolves after the last state.
 * @throws StateError where the output of a state is too large
 */
async function follow(events: AsyncGenerator<StateEvent>, { log }: WorkflowRun): Promise<void> {
  for await (const event of events) {
    if (event.type === 'StateExited' && exceedsLimit(event.state.output)) {
      throw dataLimitExceeded(`output of the state ${event.state.name}`);
    }
    if (event.type === 'StateRetried') {
      log(`${event.state.name} is tried again (${event.retry.attempt})`);
    } else if (event.type === 'StateCaught') {
      log(`${event.state.name} failed, goes on with ${event.catch.catcher.Next}`);
    }
  }
}

function handlersOf(run: WorkflowRun): Record<string, (input: Json) => Promise<Json>> {
  return Object.fromEntries(
    [...run.machine.steps].map(([name, step]) => [
      name,
      async (input: Json) => {
        // Lets `follow` see what the state before has given.
        await nextTurn();
        stopIfEnded(run.signal);
        if (exceedsLimit(inputOf(step, input))) throw dataLimitExceeded(`input of the state ${name}`);
        const output = await (step.kind === 'task' ? runTask(step, input, run) : runMap(step, input, run));
        stopIfEnded(run.signal);
        if (exceedsLimit(output)) throw dataLimitExceeded(`result of the state ${name}`);
        return output;
      },
    ]),
  );
}

/** What `prepareMap` asks the library for; the items are part of the input. */
type MapInput = { readonly items: Json; readonly input: Json };

/** What the state itself gets of what its handler is given. */
function inputOf(step: Step, given: Json): Json {
  return step.kind === 'task' ? given : (given as MapInput).input;
}

/** The library starts a state once more when it is stopped while it waits for a retry: here it ends. */
function stopIfEnded(signal: AbortSignal): void {
  if (signal.aborted)
    throw new StateError('States.Aborted', 'The execution has ended', { isCatchable: false });
}

async function runTask(step: Step & { readonly kind: 'task' }, input: Json, run: WorkflowRun): Promise<Json> {
  const outcome = await run.invoke(step.functionArn, input);
  if (outcome.kind === 'failed') throw taskErrorOf(outcome.error);
  return outcome.payload as Json; // it came as JSON text
}

async function runMap(step: Step & { readonly kind: 'map' }, given: Json, run: WorkflowRun): Promise<Json> {
  const { items, input } = given as MapInput;
  if (!Array.isArray(items)) {
    throw new StateError('States.Runtime', 'ItemsPath does not lead to a list', { isCatchable: false });
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const results: Json[] = items.map(() => null);
  const waiting = items.entries();
  const worker = async () => {
    // Shared by all workers: each takes the next item.
    for (const [index, item] of waiting) {
      if (signal.aborted) return;
      results[index] = await runMachine({
        ...run,
        machine: step.processor,
        input: step.selects ? input : item,
        context: { ...run.context, Map: { Item: { Index: index, Value: item } } },
        signal,
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(step.maximumConcurrency, items.length) }, worker));
    return results;
  } catch (error) {
    // The first failure fails the state; nothing of the other items starts any more.
    stop.abort();
    throw error instanceof run.library.ExecutionError ? error.cause : error;
  }
}
