/** The ARNs of the functions that do the work of each state. */
export interface StepArns {
  readonly begin: string;
  /** Where steps share a file system, and nobody fetches the object for itself. */
  readonly fetch?: string;
  readonly inspect: string;
  readonly profile: string;
  readonly merge: string;
  readonly fail: string;
}

/** How long each state may take, in seconds, and the whole. */
export interface WorkflowTimes {
  readonly begin: number;
  readonly step: number;
  readonly fail: number;
  readonly execution: number;
}

/**
 * What Lambda answers while it, the network of a function or a file system cannot take an invocation (API Reference,
 * Invoke; Step Functions puts `Lambda.` before the name). The function has not run. Nine attempts, over about two
 * minutes: as long as Lambda takes to connect a function to its VPC again that has not run for weeks.
 */
const NOT_INVOKED = {
  ErrorEquals: [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.TooManyRequestsException',
    'Lambda.ResourceNotReadyException',
    'Lambda.EC2ThrottledException',
    'Lambda.EC2UnexpectedException',
    'Lambda.ENILimitReachedException',
    'Lambda.ENINotReadyException',
    'Lambda.ResourceConflictException',
    'Lambda.SubnetIPAddressLimitReachedException',
    'Lambda.EFSIOException',
    'Lambda.EFSMountConnectivityException',
    'Lambda.EFSMountTimeoutException',
  ],
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 8,
  JitterStrategy: 'FULL',
} as const;

/**
 * A step that was killed (`Lambda.Unknown`, of newer runtimes `Runtime.ExitError` and `Runtime.OutOfMemory`: memory may
 * have been taken by an invocation before it, and a killed environment is not used again), or that says itself that it
 * may be repeated. What kills three attempts kills the fourth.
 */
const BROKEN_OFF = {
  ErrorEquals: ['Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory', 'UnavailableError'],
  IntervalSeconds: 1,
  BackoffRate: 3,
  MaxAttempts: 2,
  JitterStrategy: 'FULL',
} as const;

/**
 * Until `Begin` has the job nothing is lost by waiting: the job is queued, and may be for hours. Sixty attempts, with
 * those that `Begin` itself makes over most of an hour: longer than an outage of DynamoDB, or a rush of uploads, mostly
 * takes. A claim that was made under this name before is found to be so.
 */
const UNTIL_CLAIMED = {
  ...NOT_INVOKED,
  ErrorEquals: [...NOT_INVOKED.ErrorEquals, 'UnavailableError', 'States.Timeout'],
  MaxAttempts: 60,
} as const;

/** The job must come to an end: until then nothing else is tried. */
const UNTIL_DONE = {
  ErrorEquals: ['States.ALL'],
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 8,
  JitterStrategy: 'FULL',
} as const;

/**
 * What errors of steps are called that are no errors of ours: the user's, and work that is nobody's any more
 * (handlers/process/workflow/step-errors.ts).
 */
const ENDED_AS_MEANT = ['JobFailed', 'StepStopped'];

/** Names of jobs and of files come from these; content never does (256 KB a payload, aws-facts 5). */
const WHICH = { 'job.$': '$.job', 'epoch.$': '$.epoch', 'execution.$': '$$.Execution.Name' } as const;

const TO_FAIL = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Fail' }] as const;

/**
 * The workflow in the Amazon States Language. Its input is `Work`, `{job, epoch}`. A step is retried where that may
 * help; whatever else goes wrong is told to `Fail`, which ends the job. An execution that ends as FAILED is one that
 * somebody has to look at: the user's own errors are not.
 *
 * `concurrentRanges` of one job are profiled at a time: see `Settings`. At most 40 ranges, each with some five events an attempt, stay far below the 25,000 of an execution's history.
 */
export function workflowDefinition(
  functions: StepArns,
  times: WorkflowTimes,
  concurrentRanges: number,
): object {
  const step = (resource: string, seconds: number) => ({
    Type: 'Task',
    Resource: resource,
    TimeoutSeconds: seconds,
    Parameters: WHICH,
    Retry: [NOT_INVOKED, BROKEN_OFF],
    Catch: TO_FAIL,
  });
  const { fetch } = functions;
  return {
    Comment: 'Works on one job. Payloads hold names, never content.',
    StartAt: 'Begin',
    TimeoutSeconds: times.execution,
    States: {
      Begin: {
        ...step(functions.begin, times.begin),
        Retry: [UNTIL_CLAIMED, BROKEN_OFF],
        ResultPath: '$.begun',
        Next: 'Claimed',
      },
      Claimed: {
        Type: 'Choice',
        Choices: [
          {
            Variable: '$.begun.outcome',
            StringEquals: 'claimed',
            Next: fetch === undefined ? 'Inspect' : 'Fetch',
          },
        ],
        Default: 'Dropped',
      },
      Dropped: {
        Type: 'Succeed',
        Comment: 'The job is not there to be worked on: cancelled, gone, or done.',
      },
      ...(fetch === undefined
        ? {}
        : { Fetch: { ...step(fetch, times.step), ResultPath: null, Next: 'Inspect' } }),
      Inspect: { ...step(functions.inspect, times.step), ResultPath: '$.plan', Next: 'Profile' },
      Profile: {
        Type: 'Map',
        ItemsPath: '$.plan.ranges',
        ItemSelector: { ...WHICH, 'range.$': '$$.Map.Item.Value' },
        MaxConcurrency: concurrentRanges,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'ProfileRange',
          States: {
            ProfileRange: {
              Type: 'Task',
              Resource: functions.profile,
              TimeoutSeconds: times.step,
              Retry: [NOT_INVOKED, BROKEN_OFF],
              End: true,
            },
          },
        },
        ResultPath: null, // an answer for each range: discarded
        Catch: TO_FAIL,
        Next: 'Merge',
      },
      Merge: { ...step(functions.merge, times.step), ResultPath: null, End: true },
      Fail: {
        Type: 'Task',
        Resource: functions.fail,
        TimeoutSeconds: times.fail,
        Parameters: { ...WHICH, 'error.$': '$.error' },
        ResultPath: null,
        Retry: [UNTIL_DONE],
        // The end of the execution is told to the same function again, and is kept if that does not help either.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Failed' }],
        Next: 'AsMeant',
      },
      AsMeant: {
        Type: 'Choice',
        Choices: ENDED_AS_MEANT.map((name) => ({
          Variable: '$.error.Error',
          StringEquals: name,
          Next: 'Ended',
        })),
        Default: 'Failed',
      },
      Ended: { Type: 'Succeed', Comment: "The job has failed by its own fault, or is somebody else's." },
      Failed: {
        Type: 'Fail',
        Error: 'WorkflowFailed',
        Cause: "The history says which state failed, and that function's log says why.",
      },
    },
  };
}
