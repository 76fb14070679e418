import type { Clock } from '../clock.ts';
import type { Principals } from '../permissions/principal.ts';
import type { RunningService } from '../services/running-service.ts';
import { startStepFunctions } from '../services/step-functions.ts';
import type { StateDirectory } from '../state-directory.ts';
import type { Stack } from '../template/properties.ts';
import { readStateMachines, refusedDefinition } from '../template/read-workflows.ts';
import { UnsupportedDefinitionError } from '../workflows/definition.ts';
import { type Execution, ExecutionStore } from '../workflows/execution-store.ts';
import { Executions } from '../workflows/executions.ts';
import { type Library, prepare, validate } from '../workflows/machine.ts';
import type { Closing } from './closing.ts';
import type { FunctionFleet } from './function-fleet.ts';
import type { Ports } from './ports.ts';

/** What runs the state machines of the template. */
export interface RunningWorkflows extends RunningService {
  readonly executions: Executions;
  readonly stateMachineArns: readonly string[];
}

/** Settings of `startWorkflows`. */
export interface WorkflowSettings {
  readonly stack: Stack;
  readonly state: StateDirectory;
  readonly ports: Ports;
  readonly principals: Principals;
  readonly functions: FunctionFleet;
  readonly onStatus: (execution: Execution) => void;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly closing: Closing;
}

/**
 * Starts Step Functions, where the template has a state machine.
 * @throws UnsupportedTemplateError, StartError; see `readStateMachines`
 */
export async function startWorkflows(settings: WorkflowSettings): Promise<RunningWorkflows | undefined> {
  const { stack, state, ports, principals, functions, onStatus, clock, log, closing } = settings;
  const declarations = readStateMachines(stack);
  if (declarations.length === 0) return undefined;
  log('starting Step Functions …');
  // Only now: whoever has no workflow does not wait for the library.
  const library = await import('aws-local-stepfunctions');
  const stateMachines = declarations.map((declaration) => {
    requireValid(library, declaration);
    const { arn, name, roleArn, definition } = declaration;
    return { arn, name, roleArn, machine: prepare(definition) };
  });
  const store = new ExecutionStore(state.folder('executions.sqlite'), clock.now());
  closing.add(() => store.close());
  const executions = new Executions({
    ...{ library, stateMachines, store, onStatus, clock, log },
    invoke: (functionArn, payload) => functions.find(functionArn).invoke(payload),
  });
  closing.add(() => executions.close());
  const service = await startStepFunctions({ port: ports.workflows, executions, principals, clock, log });
  closing.add(() => service.close());
  return { ...service, executions, stateMachineArns: stateMachines.map(({ arn }) => arn) };
}

function requireValid(library: Library, declaration: ReturnType<typeof readStateMachines>[number]): void {
  try {
    validate(library, declaration.definition);
  } catch (error) {
    if (!(error instanceof UnsupportedDefinitionError)) throw error;
    throw refusedDefinition(declaration, error);
  }
}
