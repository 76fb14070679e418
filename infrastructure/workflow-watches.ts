import { PERIOD, sum, type Watch } from './alarms.ts';
import type { NodeFunction } from './node-function.ts';
import type { StateMachine } from './state-machine.ts';

/**
 * What is watched of a workflow.
 * @param steps at most nine: their throttles and those of the state machine are one sum.
 */
export function workflowWatches(
  machine: StateMachine,
  steps: readonly NodeFunction[],
): Readonly<Record<string, Watch>> {
  return {
    ExecutionsFailed: {
      metric: sum([machine.metric('ExecutionsFailed'), machine.metric('ExecutionsTimedOut')]),
      threshold: 1, // what is wrong with a file ends no execution as failed (workflow-definition.ts)
      periods: 1,
      description:
        'Workflows fail. The history of an execution says which state, and its function’s log says why.',
    },
    WorkflowThrottled: {
      metric: sum([
        machine.metric('ExecutionThrottled'),
        ...steps.map((step) => step.function.metricThrottles({ period: PERIOD })),
      ]),
      threshold: 1, // a step that is turned away for two minutes fails its job
      periods: 3,
      description:
        'Steps are turned away. Ask for more concurrent executions of Lambda, or for more state transitions.',
    },
  };
}
