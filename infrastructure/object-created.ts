import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { EventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FailureQueue } from './failure-queue.ts';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import type { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { Uploads } from './uploads.ts';

/** What the reaction to uploads depends on. */
export interface ObjectCreatedProps {
  readonly bundle: string;
  readonly jobs: JobsTable;
  readonly uploads: Uploads;
  readonly work: QueueWithDeadLetters;
}

/** Queues the job of every object that is uploaded. */
export class ObjectCreated extends Construct {
  readonly objectCreated: NodeFunction;
  /** Events that could not be handed to the function, and invocations that failed. */
  readonly failures: FailureQueue;

  constructor(scope: Construct, id: string, props: ObjectCreatedProps) {
    super(scope, id);
    this.objectCreated = new NodeFunction(this, 'ObjectCreated', {
      bundle: props.bundle,
      description: 'Checks an upload and queues its job',
      memory: 512,
      timeout: Duration.seconds(30), // four short calls, each of which may be retried
      variables: {
        jobsTable: props.jobs.table.tableName,
        uploadsBucket: props.uploads.bucket.bucketName,
        workQueueUrl: props.work.queue.queueUrl,
      },
    });
    props.jobs.allow(this.objectCreated, ['GetItem', 'UpdateItem']);
    props.uploads.allowRead(this.objectCreated);
    props.uploads.allowDiscovery(this.objectCreated);
    props.work.allowSend(this.objectCreated);

    this.failures = new FailureQueue(this, 'Failures');
    const { bucket, prefix } = props.uploads;
    new Rule(this, 'Rule', {
      description: 'An upload has arrived',
      // The bucket sends every event of every key; only a rule can narrow that down (aws-facts 4).
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix }] } },
      },
      targets: [
        new LambdaFunction(this.objectCreated.function, {
          deadLetterQueue: this.failures,
          // EventBridge's own limits (aws-facts 4): a job whose event is given up hangs until its upload is due.
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
    // EventBridge's part ends when Lambda has taken the event; what follows is asynchronous invocation.
    this.objectCreated.allow(['sqs:SendMessage'], [this.failures.queueArn]);
    new EventInvokeConfig(this, 'Invocation', {
      function: this.objectCreated.function,
      retryAttempts: 2, // the most there is
      maxEventAge: Duration.hours(6), // the longest there is, for when the function is throttled
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) }, // the grant is the line above
    });
  }
}
