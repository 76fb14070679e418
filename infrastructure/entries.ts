import type { Settings } from './settings.ts';

/** The functions of every deployment, in flow order. */
const COMMON = {
  api: 'handlers/api/api.lambda.ts',
  objectCreated: 'handlers/upload/object-created.lambda.ts',
  publish: 'handlers/publish/publish.lambda.ts',
  deliver: 'handlers/publish/deliver.lambda.ts',
  authorize: 'handlers/socket/authorize.lambda.ts',
  socket: 'handlers/socket/socket.lambda.ts',
  sweep: 'handlers/sweep/sweep.lambda.ts',
} as const;

/** `processing=lambda`. */
const ONE_FUNCTION = { process: 'handlers/process/process.lambda.ts' } as const;

/** The steps of a workflow, and whoever starts and stops its executions instead of sending to the work queue. */
const WORKFLOW = {
  begin: 'handlers/process/workflow/begin.lambda.ts',
  inspect: 'handlers/process/workflow/inspect.lambda.ts',
  profile: 'handlers/process/workflow/profile.lambda.ts',
  merge: 'handlers/process/workflow/merge.lambda.ts',
  fail: 'handlers/process/workflow/fail.lambda.ts',
  api: 'handlers/api/api-workflow.lambda.ts',
  objectCreated: 'handlers/upload/object-created-workflow.lambda.ts',
  sweep: 'handlers/sweep/sweep-workflow.lambda.ts',
} as const;

/** `processing=step-functions-efs`, beside the workflow's. */
const SHARED_FILES = { fetch: 'handlers/process/workflow/fetch.lambda.ts' } as const;

/** `broadcast=iot-core`: whoever publishes to the broker as well, and who may connect to it. */
const BROADCAST = {
  publish: 'handlers/publish/publish-broker.lambda.ts',
  deliver: 'handlers/publish/deliver-broker.lambda.ts',
  authorizeBroadcast: 'handlers/socket/authorize-broadcast.lambda.ts',
} as const;

/** A function that every deployment has. */
export type CommonFunction = keyof typeof COMMON;

/** A function. */
export type FunctionName =
  | CommonFunction
  | keyof typeof ONE_FUNCTION
  | keyof typeof WORKFLOW
  | keyof typeof SHARED_FILES
  | keyof typeof BROADCAST;

/** Something for each function of a deployment. */
export type OfFunctions<Value> = Readonly<
  Record<CommonFunction, Value> & Partial<Record<FunctionName, Value>>
>;

/** What of the settings decides which functions there are. */
export interface Variant {
  readonly processing: Pick<Settings['processing'], 'by'>;
  readonly broadcast: Pick<Settings['broadcast'], 'by'>;
}

/** What is deployed where nothing else is asked for. */
export const DEFAULT_VARIANT: Variant = { processing: { by: 'lambda' }, broadcast: { by: 'none' } };

/**
 * The entry file of each function that a deployment has. What a variant needs besides is in entries of its own, so
 * that the bundles of the others load nothing of it.
 */
export function entriesOf({ processing, broadcast }: Variant): OfFunctions<string> {
  return {
    ...COMMON,
    ...(processing.by === 'lambda' ? ONE_FUNCTION : WORKFLOW),
    ...(processing.by === 'step-functions-efs' ? SHARED_FILES : {}),
    ...(broadcast.by === 'iot-core' ? BROADCAST : {}),
  };
}
