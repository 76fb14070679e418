import { MalformedDataError, MissingVariableError } from './errors.ts';

/**
 * The names of the environment variables that tie a function to the resources of its stack. Constructs set
 * them and composition roots read them through these constants, so that the two cannot drift.
 */
export const VARIABLES = {
  /** Name of the jobs table. */
  jobsTable: 'JOBS_TABLE',
  /** Name of the jobs table's index by owner and creation time. */
  jobsByOwnerIndex: 'JOBS_BY_OWNER_INDEX',
  /** Name of the subscriptions table. */
  subscriptionsTable: 'SUBSCRIPTIONS_TABLE',
  /** Name of the subscriptions table's index by connection. */
  subscriptionsByConnectionIndex: 'SUBSCRIPTIONS_BY_CONNECTION_INDEX',
  /** Name of the bucket that clients upload to. */
  uploadsBucket: 'UPLOADS_BUCKET',
  /** Name of the bucket that results are written to. */
  resultsBucket: 'RESULTS_BUCKET',
  /** URL of the queue of (job, connection) pairs that could not be posted to at once. */
  deliveriesQueueUrl: 'DELIVERIES_QUEUE_URL',
  /** URL of the queue of large audiences that are to be told of a job. */
  broadcastsQueueUrl: 'BROADCASTS_QUEUE_URL',
  /** States that are still to become the broker's retained messages; only where there is a broker. */
  retainedQueueUrl: 'RETAINED_QUEUE_URL',
  /** How many posts a second may be made to large audiences, by all execution environments together. */
  postsPerSecond: 'POSTS_PER_SECOND',
  /** How many execution environments post to large audiences at a time, at the most. */
  broadcastConcurrency: 'BROADCAST_CONCURRENCY',
  /** URL of the queue of jobs that wait for the process function. */
  workQueueUrl: 'WORK_QUEUE_URL',
  /** ARN of the state machine whose executions work on jobs. */
  stateMachineArn: 'STATE_MACHINE_ARN',
  /** Name of the bucket through which the steps of an execution hand on what they made. */
  workspaceBucket: 'WORKSPACE_BUCKET',
  /** Folder of a shared file system in which an execution has the payload, and what its steps made. */
  workspacePath: 'WORKSPACE_PATH',
  /** How many megabytes (2^20 bytes) of a file are profiled as one range, before what they come to is merged. */
  rangeMegabytes: 'RANGE_MEGABYTES',
  /** URL of the queue of jobs to look at again once a deadline has passed. */
  deadlinesQueueUrl: 'DEADLINES_QUEUE_URL',
  /** ARN of the secret from which the keys of tokens and tickets are derived. */
  signingSecretArn: 'SIGNING_SECRET_ARN',
  /** URL of the WebSocket API with its stage, `wss://…/<stage>`; its @connections are at the same place over https. */
  socketUrl: 'SOCKET_URL',
  /** Where states are published to be broadcast: `https://HOST` of the account's IoT data endpoint. */
  iotEndpoint: 'IOT_ENDPOINT',
  /** Where clients connect to watch a broadcast: `wss://HOST/mqtt`. */
  broadcastUrl: 'BROADCAST_URL',
  /** Name of the custom authorizer of broadcasts, which clients must name as they connect. */
  broadcastAuthorizer: 'BROADCAST_AUTHORIZER',
  /** Who may call: `open` makes every caller `anonymous`. */
  auth: 'AUTH',
} as const;

/** What a composition root asks for: one of `VARIABLES`. */
export type Variable = keyof typeof VARIABLES;

/**
 * Reads the named variables.
 * @throws MissingVariableError that names the first one that is unset or empty; thrown while the function
 *   starts, so that a forgotten variable shows at the first invocation.
 */
export function readEnvironment<const Names extends readonly Variable[]>(
  names: Names,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<Names[number], string>> {
  const entries = names.map((name): [Names[number], string] => {
    const value = environment[VARIABLES[name]];
    if (value === undefined || value === '') throw new MissingVariableError(VARIABLES[name]);
    return [name, value];
  });
  return Object.fromEntries(entries) as Record<Names[number], string>; // every name has just got its entry
}

/**
 * Reads the one of several variables that is set, and answers its name and value: which one it is says which variant
 * of the stack this is.
 * @throws MissingVariableError that names all of them when none is set.
 */
export function readOneOf<const Names extends readonly Variable[]>(
  names: Names,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): { readonly name: Names[number]; readonly value: string } {
  for (const name of names) {
    const value = environment[VARIABLES[name]];
    if (value !== undefined && value !== '') return { name, value };
  }
  throw new MissingVariableError(names.map((name) => VARIABLES[name]).join(' or '));
}

/**
 * Reads variables that belong together and that only some stacks have; undefined where none of them is set.
 * @throws MissingVariableError where only some of them are, naming the first that is not.
 */
export function readIfSet<const Names extends readonly Variable[]>(
  names: Names,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<Names[number], string>> | undefined {
  const isSet = names.some((name) => (environment[VARIABLES[name]] ?? '') !== '');
  return isSet ? readEnvironment(names, environment) : undefined;
}

/**
 * Reads a variable's value as a number above 0.
 * @throws MalformedDataError that names the variable; thrown while the function starts.
 */
export function positiveNumber(name: Variable, value: string): number {
  const number = Number(value);
  if (Number.isFinite(number) && number > 0) return number;
  throw new MalformedDataError(`The environment variable ${VARIABLES[name]}`);
}
