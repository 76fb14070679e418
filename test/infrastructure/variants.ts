import type { FunctionName } from '../../infrastructure/entries.ts';
import { FUNCTIONS } from './synthesized-stack.ts';

/** One value of each setting that chooses between variants. */
export interface Combination {
  readonly uploadEvents: 'eventbridge' | 's3-notifications';
  readonly processing: 'lambda' | 'step-functions' | 'step-functions-efs';
  readonly broadcast: 'none' | 'iot-core';
}

const UPLOAD_EVENTS = ['eventbridge', 's3-notifications'] as const;
const BROADCAST = ['none', 'iot-core'] as const;
export const PROCESSING = ['lambda', 'step-functions', 'step-functions-efs'] as const;

/** Every one that is valid. */
export const COMBINATIONS: readonly Combination[] = PROCESSING.flatMap((processing) =>
  UPLOAD_EVENTS.flatMap((uploadEvents) =>
    BROADCAST.map((broadcast) => ({ uploadEvents, processing, broadcast })),
  ),
);

/** The data endpoint of an account. */
export const IOT_HOST = 'abc123-ats.iot.eu-west-1.amazonaws.com';

/** What the command line would be given. */
export function contextOf(combination: Combination): Readonly<Record<string, string>> {
  return { ...combination, ...(combination.broadcast === 'iot-core' ? { iotEndpoint: IOT_HOST } : {}) };
}

const STEPS = [
  ['begin', 'Workflow/Begin'],
  ['inspect', 'Workflow/Inspect'],
  ['profile', 'Workflow/Profile'],
  ['merge', 'Workflow/Merge'],
  ['fail', 'Workflow/Fail'],
] as const;

/** Every function of a combination, and the path of its construct. What is not said is as where nothing is said. */
export function functionsOf({
  processing = 'lambda',
  broadcast = 'none',
}: Partial<Combination>): readonly (readonly [name: FunctionName, path: string])[] {
  return [
    ...FUNCTIONS.filter(([name]) => name !== 'process' || processing === 'lambda'),
    ...(processing === 'lambda' ? [] : STEPS),
    ...(processing === 'step-functions-efs' ? [['fetch', 'Workflow/Fetch'] as const] : []),
    ...(broadcast === 'none' ? [] : [['authorizeBroadcast', 'Broadcast/Authorize'] as const]),
  ];
}

/**
 * What only some combinations deploy: the beginnings of the paths of constructs, by the value that asks for them.
 * All else is everybody's.
 */
export const OWN: Readonly<Record<string, readonly string[]>> = {
  eventbridge: ['Uploaded/Rule'],
  's3-notifications': ['Uploaded/Permission'],
  lambda: ['Processing/', 'Alarms/WorkFailed', 'Alarms/WorkLate'],
  'step-functions': [
    'Workflow/Begin/',
    'Workflow/Inspect/',
    'Workflow/Profile/',
    'Workflow/Merge/',
    'Workflow/Fail/',
    'Workflow/StateMachine/',
    'Workflow/Ends/',
    'Workspace/Bucket',
    'Alarms/EndsFailed',
    'Alarms/ExecutionsFailed',
    'Alarms/WorkflowThrottled',
  ],
  'step-functions-efs': [
    'Workflow/',
    'Workspace/FileSystem',
    'Workspace/AccessPoint',
    'Workspace/MountTarget',
    'Workspace/Network/',
    'Alarms/EndsFailed',
    'Alarms/ExecutionsFailed',
    'Alarms/WorkflowThrottled',
  ],
  'iot-core': [
    'Broadcast/',
    'Publishing/Deliver/Retained',
    'Alarms/RetainedFailed',
    'Alarms/BrokerRefused',
    'Alarms/BrokerAuthorizeFailed',
  ],
};
