import * as library from 'aws-local-stepfunctions';
import { onTestFinished } from 'vitest';
import { parseDefinition } from '../../../local/workflows/definition.ts';
import { prepare } from '../../../local/workflows/machine.ts';
import { runWorkflow, type WorkflowEnd } from '../../../local/workflows/run-workflow.ts';
import { ScriptedFunction } from '../events/scripted-function.ts';

/** The ARN of a function of these tests; its name is what an invocation is told apart by. */
export function functionArn(name: string): string {
  return `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
}

/** A state that invokes the function of that name. */
export function task(name: string, fields: object = { End: true }): object {
  return { Type: 'Task', Resource: functionArn(name), ...fields };
}

/** A function error of that name. */
export function failure(errorType: string, message = ''): Error {
  return Object.assign(new Error(message), { name: errorType });
}

/** Something that a test waits for and settles. */
export type Gate = PromiseWithResolvers<unknown>;

/** An execution under way. */
export interface ScriptedExecution {
  readonly end: Promise<WorkflowEnd>;
  /** What was invoked so far, such as `inspect {"job":"1"}`. */
  readonly invocations: readonly string[];
  readonly lines: readonly string[];
  stop(): void;
}

/** Runs a definition on functions that answer as `answer` says; an Error that it throws is a function error. */
export function run(
  definition: object,
  answer: (functionName: string, payload: unknown) => unknown = () => ({}),
  input: Parameters<library.StateMachine['run']>[0] = {},
): ScriptedExecution {
  const invocations: string[] = [];
  const lines: string[] = [];
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const end = runWorkflow({
    library,
    machine: prepare(parseDefinition(definition)),
    input,
    context: { Execution: { Name: 'execution-1' } },
    invoke: async (arn, payload) => {
      const name = arn.split(':').at(-1) ?? arn;
      invocations.push(`${name} ${JSON.stringify(payload)}`);
      return await new ScriptedFunction(() => answer(name, payload)).invoke(payload);
    },
    signal: stopping.signal,
    log: (line) => lines.push(line),
  });
  return { end, invocations, lines, stop: () => stopping.abort() };
}
