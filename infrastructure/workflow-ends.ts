import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { EventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FailureQueue } from './failure-queue.ts';
import type { NodeFunction } from './node-function.ts';
import type { StateMachine } from './state-machine.ts';

/** What hearing of ends depends on. */
export interface WorkflowEndsProps {
  readonly machine: StateMachine;
  /** Is invoked for each execution that did not succeed. */
  readonly fail: NodeFunction;
}

/**
 * Tells `Fail` of each execution that did not succeed. No state of an execution could: some errors are not caught
 * (`States.DataLimitExceeded`, `States.Runtime`; aws-facts 5), nor is the time-out of the whole, nor that it is stopped.
 */
export class WorkflowEnds extends Construct {
  /** Ends that could not be handed to the function, and invocations that failed. */
  readonly failures: FailureQueue;

  constructor(scope: Construct, id: string, { machine, fail }: WorkflowEndsProps) {
    super(scope, id);
    this.failures = new FailureQueue(this, 'Failures');
    new Rule(this, 'Rule', {
      description: 'An execution did not succeed',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [machine.arn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [
        new LambdaFunction(fail.function, {
          deadLetterQueue: this.failures,
          // EventBridge's own limits (aws-facts 4): a job whose end is not told hangs until the sweep gives it up.
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
    // EventBridge's part ends when Lambda has taken the event; what follows is asynchronous invocation.
    fail.allow(['sqs:SendMessage'], [this.failures.queueArn]);
    new EventInvokeConfig(this, 'Invocation', {
      function: fail.function,
      retryAttempts: 2, // the most there is
      maxEventAge: Duration.hours(6), // the longest there is, for when the function is throttled
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) }, // the grant is above
    });
  }
}
