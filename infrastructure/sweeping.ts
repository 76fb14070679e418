import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { Uploads } from './uploads.ts';
import type { WayOfProcessing } from './way-of-processing.ts';

/** What sweeping depends on. */
export interface SweepingProps {
  readonly bundle: string;
  readonly jobs: JobsTable;
  readonly uploads: Uploads;
}

const TIMEOUT = Duration.seconds(60); // ten deadlines, each a read and at most one write, while DynamoDB throttles

/** Looks at jobs again once a deadline has passed: delayed messages, each answered by the next one. */
export class Sweeping extends Construct {
  readonly deadlines: QueueWithDeadLetters;
  readonly sweep: NodeFunction;

  constructor(scope: Construct, id: string, props: SweepingProps) {
    super(scope, id);
    this.deadlines = new QueueWithDeadLetters(this, 'Deadlines', {
      consumerTimeout: TIMEOUT,
      receives: 10, // an hour of failing, at one receive in six minutes: a lost deadline leaves its job hanging
      retention: Duration.days(14), // the longest there is, for the same reason
    });
    this.sweep = new NodeFunction(this, 'Sweep', {
      bundle: props.bundle,
      description: 'Moves jobs on whose deadline has passed',
      memory: 512,
      timeout: TIMEOUT,
      variables: {
        jobsTable: props.jobs.table.tableName,
        uploadsBucket: props.uploads.bucket.bucketName,
        deadlinesQueueUrl: this.deadlines.queue.queueUrl,
      },
    });
    props.jobs.allow(this.sweep, ['GetItem', 'UpdateItem']);
    props.uploads.allowAbort(this.sweep);
    this.deadlines.allowSend(this.sweep);
    // Deadlines may be late by seconds: a few at a time, and functions that people wait for go first.
    this.sweep.consume(this.deadlines.queue, { size: 10, maxConcurrency: 2 });
  }

  /**
   * Lets the sweep begin the work of a job again, and end it. To be called once; not a property, because whoever
   * works on jobs in turn needs the deadlines queue.
   */
  allowWork(processing: WayOfProcessing): void {
    processing.allowStart(this.sweep);
    processing.allowStop(this.sweep);
  }
}
