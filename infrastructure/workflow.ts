import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bundleOf, type FunctionBundles } from './bundles.ts';
import type { FunctionName } from './entries.ts';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction, type NodeFunctionProps } from './node-function.ts';
import type { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { Results } from './results.ts';
import { StateMachine } from './state-machine.ts';
import type { Uploads } from './uploads.ts';
import type { WayOfProcessing } from './way-of-processing.ts';
import { workflowDefinition } from './workflow-definition.ts';
import { WorkflowEnds } from './workflow-ends.ts';
import { workflowWatches } from './workflow-watches.ts';
import type { Workspace } from './workspace.ts';

/** What processing by a workflow depends on. */
export interface WorkflowProps {
  readonly bundles: FunctionBundles;
  readonly jobs: JobsTable;
  readonly uploads: Uploads;
  readonly results: Results;
  readonly deadlines: QueueWithDeadLetters;
  readonly workspace: Workspace;
  /** See `Settings`. */
  readonly rangeMegabytes: number;
  /** See `Settings`. */
  readonly concurrentRanges: number;
}

/** The bundle of each function, by its construct. */
const BUNDLES = {
  Begin: 'begin',
  Fetch: 'fetch',
  Inspect: 'inspect',
  Profile: 'profile',
  Merge: 'merge',
  Fail: 'fail',
} as const satisfies Readonly<Record<string, FunctionName>>;
type StepId = keyof typeof BUNDLES;

/** How long the functions may take. */
const TIMEOUTS = {
  begin: Duration.seconds(30), // two short calls, each of which may be retried
  step: Duration.minutes(15), // the longest that Lambda has
  fail: Duration.minutes(2), // three short calls, and some forty files to remove
} as const;

/**
 * A state gives up before Lambda ends its function, so that a time-out has the one name `States.Timeout`: Lambda's own
 * is told as an error like many others. The step gives up before that, and tries nothing any more that could take longer (handlers/process/time-left.ts).
 */
const SPARE_SECONDS = 5;

/** Forty ranges, one at a time, of a quarter of an hour each; as much for the other steps; an hour for `Begin`. */
const EXECUTION_TIMEOUT = Duration.hours(12);

/** A step computes on one thread: a whole virtual CPU (aws-facts 6), and the bandwidth that comes with it. */
const STEP_MEMORY = 1769;

/** Of functions that make a few calls. */
const SMALL_MEMORY = 512;

/** `processing=step-functions` and `step-functions-efs`: a state machine, and a function for each of its steps. */
export class Workflow extends Construct implements WayOfProcessing {
  readonly functions: readonly NodeFunction[];
  readonly failures: WayOfProcessing['failures'];
  readonly watches: WayOfProcessing['watches'];
  private readonly machine: StateMachine;
  private readonly props: WorkflowProps;

  constructor(scope: Construct, id: string, props: WorkflowProps) {
    super(scope, id);
    this.props = props;
    const { uploads, results, deadlines, workspace } = props;
    const shared = workspace.mount !== undefined; // then only one step fetches the upload
    const begin = this.make('Begin', {
      description: 'Takes a job for an execution',
      memory: SMALL_MEMORY,
      timeout: TIMEOUTS.begin,
      variables: { deadlinesQueueUrl: deadlines.queue.queueUrl },
    });
    deadlines.allowSend(begin);
    const fetch = shared ? this.step('Fetch', 'Copies an upload to where all steps can read it') : undefined;
    const inspect = this.step('Inspect', 'Reads an upload through, and plans its ranges', {
      rangeMegabytes: String(props.rangeMegabytes),
    });
    const profile = this.step('Profile', 'Profiles a range of an upload, and reports its progress');
    const merge = this.step('Merge', 'Merges what the ranges came to into the result', {
      resultsBucket: results.bucket.bucketName,
    });
    const fail = this.make('Fail', {
      description: 'Ends the job of an execution that failed',
      memory: SMALL_MEMORY,
      timeout: TIMEOUTS.fail,
      ...inWorkspace(workspace),
    });
    for (const reader of fetch === undefined ? [inspect, profile] : [fetch]) {
      // By name: the bucket is made after all that it leads to (see `Uploads.tell`).
      reader.tell({ uploadsBucket: uploads.named.bucketName });
      uploads.allowRead(reader, uploads.named);
      uploads.allowDiscovery(reader, uploads.named);
    }
    results.allowWrite(merge);
    // Each may find that the job is not the execution's any more, and then removes the files.
    if (fetch !== undefined) workspace.allow(fetch, 'write', 'remove');
    workspace.allow(inspect, 'write', 'remove');
    workspace.allow(profile, 'read', 'write', 'remove');
    workspace.allow(merge, 'read', 'remove');
    workspace.allow(fail, 'remove');
    const steps = [...(fetch === undefined ? [] : [fetch]), inspect, profile, merge];
    this.machine = new StateMachine(this, 'StateMachine', {
      definition: workflowDefinition(
        {
          begin: begin.function.functionArn,
          ...(fetch === undefined ? {} : { fetch: fetch.function.functionArn }),
          inspect: inspect.function.functionArn,
          profile: profile.function.functionArn,
          merge: merge.function.functionArn,
          fail: fail.function.functionArn,
        },
        {
          begin: TIMEOUTS.begin.toSeconds() - SPARE_SECONDS,
          step: TIMEOUTS.step.toSeconds() - SPARE_SECONDS,
          fail: TIMEOUTS.fail.toSeconds() - SPARE_SECONDS,
          execution: EXECUTION_TIMEOUT.toSeconds(),
        },
        props.concurrentRanges,
      ),
      functions: [begin, ...steps, fail],
    });
    const ends = new WorkflowEnds(this, 'Ends', { machine: this.machine, fail });
    // A step fails for what is wrong with a file, too.
    this.functions = [begin, fail];
    this.failures = { Ends: ends.failures };
    this.watches = workflowWatches(this.machine, steps);
  }

  allowStart(caller: NodeFunction): void {
    caller.tell({ stateMachineArn: this.machine.arn });
    this.machine.allowStart(caller);
  }

  allowStop(caller: NodeFunction): void {
    caller.tell({ stateMachineArn: this.machine.arn });
    this.machine.allowStop(caller);
  }

  /** A step that computes, with the files of its execution. */
  private step(
    id: StepId,
    description: string,
    variables: NodeFunctionProps['variables'] = {},
  ): NodeFunction {
    const { workspace } = this.props;
    const step = this.make(id, {
      description,
      memory: STEP_MEMORY,
      timeout: TIMEOUTS.step,
      ...inWorkspace(workspace),
    });
    step.tell(variables);
    return step;
  }

  private make(id: StepId, props: Omit<NodeFunctionProps, 'bundle'>): NodeFunction {
    const { bundles, jobs } = this.props;
    const step = new NodeFunction(this, id, {
      ...props,
      bundle: bundleOf(bundles, BUNDLES[id]),
      variables: { jobsTable: jobs.table.tableName, ...props.variables },
    });
    jobs.allow(step, ['GetItem', 'UpdateItem']);
    return step;
  }
}

/** Where a function with files of executions is, and what it is told of them. */
function inWorkspace({ variables, mount }: Workspace): Pick<NodeFunctionProps, 'variables' | 'mount'> {
  return { variables, ...(mount === undefined ? {} : { mount }) };
}
