import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bundleOf, type FunctionBundles } from './bundles.ts';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { Results } from './results.ts';
import type { Uploads } from './uploads.ts';
import type { WayOfProcessing } from './way-of-processing.ts';

/** What processing by a function depends on. */
export interface ProcessingProps {
  readonly bundles: FunctionBundles;
  readonly concurrentJobs: number;
  /** See `Settings`. */
  readonly rangeMegabytes: number;
  readonly jobs: JobsTable;
  readonly uploads: Uploads;
  readonly results: Results;
  readonly deadlines: QueueWithDeadLetters;
}

const TIMEOUT = Duration.minutes(15); // the longest that Lambda has: a job takes as long as it takes

/** `processing=lambda`: the work queue, and the function that processes one job at a time. */
export class Processing extends Construct implements WayOfProcessing {
  readonly functions: readonly NodeFunction[];
  readonly failures: WayOfProcessing['failures'];
  readonly watches: WayOfProcessing['watches'];
  private readonly work: QueueWithDeadLetters;

  constructor(scope: Construct, id: string, props: ProcessingProps) {
    super(scope, id);
    this.work = new QueueWithDeadLetters(this, 'Work', {
      consumerTimeout: TIMEOUT,
      // Must be longer than the function's time-out, and shorter than the sweep waits for somebody to take over
      // from a dead execution (REDELIVERY_SECONDS, 960 s). Six times the time-out would be 90 minutes, for which
      // nobody watches; a message that is handed out twice is harmless here, because executions claim the job.
      visibilityTimeout: TIMEOUT.plus(Duration.seconds(30)),
      receives: 3, // the first execution, and two that take over; what kills three kills the fourth
      retention: Duration.hours(6), // the sweep fails a job that has not been started by then
    });
    const process = new NodeFunction(this, 'Process', {
      bundle: bundleOf(props.bundles, 'process'),
      description: 'Processes an upload and reports its progress',
      memory: 1769, // a whole virtual CPU (aws-facts 6): processors compute on one thread
      timeout: TIMEOUT,
      variables: {
        jobsTable: props.jobs.table.tableName,
        uploadsBucket: props.uploads.bucket.bucketName,
        resultsBucket: props.results.bucket.bucketName,
        deadlinesQueueUrl: props.deadlines.queue.queueUrl,
        rangeMegabytes: String(props.rangeMegabytes),
      },
    });
    props.jobs.allow(process, ['GetItem', 'UpdateItem']);
    props.uploads.allowRead(process);
    props.uploads.allowDiscovery(process);
    props.results.allowWrite(process);
    props.deadlines.allowSend(process);
    // One job an invocation: a second one in the batch would wait for the first, and share its fate.
    process.consume(this.work.queue, { size: 1, maxConcurrency: props.concurrentJobs });
    this.functions = [process];
    this.failures = { Work: this.work.deadLetters };
    this.watches = {
      WorkLate: {
        metric: this.work.queue.metricApproximateAgeOfOldestMessage({
          period: Duration.minutes(5),
          statistic: 'Maximum',
        }),
        threshold: Duration.hours(2).toSeconds(), // a third of the six hours after which a queued job fails
        periods: 1,
        description:
          'Jobs wait for more than two hours. Raise the setting concurrentJobs, or see why processing fails.',
      },
    };
  }

  allowStart(caller: NodeFunction): void {
    caller.tell({ workQueueUrl: this.work.queue.queueUrl });
    this.work.allowSend(caller);
  }

  /** Nobody may do more than write it into the job: whoever works on it looks there. */
  allowStop(): void {}
}
