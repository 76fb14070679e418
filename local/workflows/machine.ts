import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import {
  type Definition,
  type MapState,
  type States,
  type TaskState,
  UnsupportedDefinitionError,
} from './definition.ts';

/** The library, which is loaded only where the template has a state machine: it brings an SDK client. */
export type Library = typeof import('aws-local-stepfunctions');

/** What a state of the library's definition does here, by the state's name. */
export type Step =
  | { readonly kind: 'task'; readonly functionArn: string }
  | {
      readonly kind: 'map';
      readonly processor: Machine;
      /** Whether an item's input is made from the Map's own by its ItemSelector, rather than being the item. */
      readonly selects: boolean;
      readonly maximumConcurrency: number;
    };

/** A definition made ready for the library. */
export interface Machine {
  readonly definition: StateMachineDefinition;
  readonly steps: ReadonlyMap<string, Step>;
}

/** Iterations of an inline Map at once where MaxConcurrency is 0 or not there (SFN:state-map-inline). */
const MAP_CONCURRENCY = 40;

/**
 * The longest time-out of a timer, in seconds. The library gives a Task without TimeoutSeconds 60 s, AWS none for
 * practical purposes (99,999,999 s), which a timer of Node would take for one millisecond.
 */
const LONGEST_TIMEOUT_SECONDS = 2_147_483;

/** The state that applies ItemSelector, in front of the processor's own. */
const SELECTOR = 'ItemSelector of the Map';

/**
 * Refuses what Step Functions would refuse when the state machine is made: a state that leads nowhere, a path that
 * is none. It takes half a second of the processor, so it is asked for once a start.
 * @throws UnsupportedDefinitionError with all that is wrong.
 */
export function validate(library: Library, value: unknown): void {
  try {
    // It writes into what it looks through.
    new library.StateMachine(structuredClone(value) as StateMachineDefinition);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UnsupportedDefinitionError(`its definition: ${detail}`, { cause });
  }
}

/**
 * Makes a definition ready. Paths, choices, results, Retry, Catch and time-outs stay the library's; a Map becomes
 * a Task whose work is done by `run-workflow.ts`: the library's own Map starts the items that wait even after
 * one has failed or the execution was stopped, and hides `$$.Map` from the states inside.
 */
export function prepare(definition: Definition): Machine {
  const machine = prepareStates(definition.StartAt, definition.States);
  const { TimeoutSeconds } = definition;
  if (TimeoutSeconds === undefined) return machine;
  return { ...machine, definition: { ...machine.definition, TimeoutSeconds: timeout(TimeoutSeconds) } };
}

function prepareStates(StartAt: string, states: States): Machine {
  const steps = new Map<string, Step>();
  const prepared = Object.entries(states).map(([name, state]) => {
    if (state.Type === 'Task') {
      steps.set(name, { kind: 'task', functionArn: state.Resource });
      return [name, prepareTask(state)] as const;
    }
    if (state.Type === 'Map') {
      steps.set(name, mapStep(state));
      return [name, prepareMap(state)] as const;
    }
    return [name, withoutRootPath(state)] as const;
  });
  // `parseDefinition` and `validate` have looked through it.
  return { definition: { StartAt, States: Object.fromEntries(prepared) } as StateMachineDefinition, steps };
}

function prepareTask(state: TaskState): object {
  return {
    ...withoutRootPath(state),
    TimeoutSeconds: timeout(state.TimeoutSeconds ?? LONGEST_TIMEOUT_SECONDS),
  };
}

function prepareMap(state: MapState): object {
  const { ItemProcessor, ItemSelector, ItemsPath, MaxConcurrency, ...rest } = withoutRootPath(state);
  return {
    ...rest,
    Type: 'Task',
    Resource: 'Map',
    Parameters: { 'items.$': ItemsPath ?? '$', 'input.$': '$' },
    TimeoutSeconds: LONGEST_TIMEOUT_SECONDS,
  };
}

function mapStep(state: MapState): Step {
  const { ItemProcessor, ItemSelector, MaxConcurrency = 0 } = state;
  const processor = prepareStates(ItemProcessor.StartAt, ItemProcessor.States);
  return {
    kind: 'map',
    processor: ItemSelector === undefined ? processor : behindSelector(processor, ItemSelector),
    selects: ItemSelector !== undefined,
    maximumConcurrency: MaxConcurrency === 0 ? MAP_CONCURRENCY : MaxConcurrency,
  };
}

function behindSelector({ definition, steps }: Machine, selector: object): Machine {
  const { StartAt, States } = definition;
  const select = { Type: 'Pass', Parameters: selector, Next: StartAt };
  return {
    // A Pass state with Parameters, as the library has it.
    definition: { StartAt: SELECTOR, States: { ...States, [SELECTOR]: select } } as StateMachineDefinition,
    steps,
  };
}

/** ResultPath `$` is the default, which the library takes for a field of that name. */
function withoutRootPath<State extends object>(state: State): State {
  if (!('ResultPath' in state) || state.ResultPath !== '$') return state;
  const { ResultPath, ...rest } = state;
  return rest as State; // it is optional wherever it exists
}

function timeout(seconds: number): number {
  return Math.min(seconds, LONGEST_TIMEOUT_SECONDS);
}
