import { Duration } from 'aws-cdk-lib';
import { EventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FailureQueue } from './failure-queue.ts';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';
import { hearByEventBridge, hearByNotifications } from './upload-events.ts';
import type { Uploads } from './uploads.ts';
import type { WayOfProcessing } from './way-of-processing.ts';

/** What the reaction to uploads depends on. */
export interface ObjectCreatedProps extends Pick<Settings, 'uploadEvents'> {
  readonly bundle: string;
  readonly jobs: JobsTable;
  readonly uploads: Uploads;
  readonly processing: WayOfProcessing;
}

/** Begins the work on the job of every object that is uploaded. */
export class ObjectCreated extends Construct {
  readonly objectCreated: NodeFunction;
  /** Events that could not be handed to the function, and invocations that failed. */
  readonly failures: FailureQueue;

  constructor(scope: Construct, id: string, props: ObjectCreatedProps) {
    super(scope, id);
    const { named } = props.uploads; // the bucket comes after all that is here: see `tell`
    this.objectCreated = new NodeFunction(this, 'ObjectCreated', {
      bundle: props.bundle,
      description: 'Checks an upload and begins work on its job',
      memory: 512,
      timeout: Duration.seconds(30), // four short calls, each of which may be retried
      variables: {
        jobsTable: props.jobs.table.tableName,
        uploadsBucket: named.bucketName,
      },
    });
    props.jobs.allow(this.objectCreated, ['GetItem', 'UpdateItem']);
    props.uploads.allowRead(this.objectCreated, named);
    props.uploads.allowDiscovery(this.objectCreated, named);
    props.processing.allowStart(this.objectCreated);

    this.failures = new FailureQueue(this, 'Failures');
    const hear = props.uploadEvents === 'eventbridge' ? hearByEventBridge : hearByNotifications;
    props.uploads.tell(
      this,
      hear(this, { uploads: props.uploads, target: this.objectCreated.function, failures: this.failures }),
    );
    // The part of whoever tells ends when Lambda has taken the event; what follows is asynchronous invocation.
    this.objectCreated.allow(['sqs:SendMessage'], [this.failures.queueArn]);
    new EventInvokeConfig(this, 'Invocation', {
      function: this.objectCreated.function,
      retryAttempts: 2, // the most there is
      maxEventAge: Duration.hours(6), // the longest there is, for when the function is throttled
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) }, // the grant is the line above
    });
  }
}
