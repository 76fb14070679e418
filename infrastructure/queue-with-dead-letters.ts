import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { FailureQueue } from './failure-queue.ts';
import type { NodeFunction } from './node-function.ts';

/** What distinguishes our queues. */
export interface QueueWithDeadLettersProps {
  /** The time-out of the function that consumes the queue. */
  readonly consumerTimeout: Duration;
  /** How long a received message stays hidden, where six times the consumer's time-out is too long. */
  readonly visibilityTimeout?: Duration;
  /** How often a message is received before it counts as failed. */
  readonly receives: number;
  /** How long a message is worth something. */
  readonly retention: Duration;
}

/** A queue, and a queue of what could not be processed. Encrypted, reachable over TLS alone. */
export class QueueWithDeadLetters extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: QueueWithDeadLettersProps) {
    super(scope, id);
    this.deadLetters = new FailureQueue(this, 'DeadLetters');
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: props.retention,
      // Six times the function's time-out, as AWS advises, so that Lambda can try again while it is throttled
      // without the message being handed out twice
      // (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
      visibilityTimeout: props.visibilityTimeout ?? Duration.seconds(6 * props.consumerTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: props.receives },
    });
  }

  /** Lets a function send messages. */
  allowSend(sender: NodeFunction): void {
    sender.allow(['sqs:SendMessage'], [this.queue.queueArn]);
  }
}
