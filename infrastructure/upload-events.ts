import { Aws, Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnPermission, type Function as Target } from 'aws-cdk-lib/aws-lambda';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { FailureQueue } from './failure-queue.ts';
import type { Uploads } from './uploads.ts';

/** What a way to hear of uploads depends on. */
export interface UploadEventsProps {
  readonly uploads: Uploads;
  /** Invoked asynchronously for each upload. */
  readonly target: Target;
  /** Where events end that cannot be handed over, and are not Lambda's yet. */
  readonly failures: FailureQueue;
}

/** What makes one way to hear of uploads, in a scope of the caller's, and answers with what the bucket has to do. */
export type HearOfUploads = (
  scope: Construct,
  props: UploadEventsProps,
) => CfnBucket.NotificationConfigurationProperty;

/** By EventBridge: a rule picks uploads out of all events of the bucket. */
export const hearByEventBridge: HearOfUploads = (scope, { uploads, target, failures }) => {
  new Rule(scope, 'Rule', {
    description: 'An upload has arrived',
    // The bucket sends every event of every key; only a rule can narrow that down (aws-facts 4).
    eventPattern: {
      source: ['aws.s3'],
      detailType: ['Object Created'],
      detail: { bucket: { name: [uploads.named.bucketName] }, object: { key: [{ prefix: uploads.prefix }] } },
    },
    targets: [
      new LambdaFunction(target, {
        deadLetterQueue: failures,
        // EventBridge's own limits (aws-facts 4): a job whose event is given up hangs until its upload is due.
        maxEventAge: Duration.hours(24),
        retryAttempts: 185,
      }),
    ],
  });
  return { eventBridgeConfiguration: { eventBridgeEnabled: true } };
};

/** By the bucket itself, which invokes the function. Its filter knows prefixes and suffixes, and no patterns. */
export const hearByNotifications: HearOfUploads = (scope, { uploads, target }) => {
  new CfnPermission(scope, 'Permission', {
    action: 'lambda:InvokeFunction',
    functionName: target.functionArn,
    principal: 's3.amazonaws.com',
    sourceArn: uploads.named.bucketArn,
    // The ARN of a bucket names no account: a bucket of this name may be somebody else's one day.
    sourceAccount: Aws.ACCOUNT_ID,
  });
  return {
    lambdaConfigurations: [
      {
        event: 's3:ObjectCreated:*',
        function: target.functionArn,
        filter: { s3Key: { rules: [{ name: 'prefix', value: uploads.prefix }] } },
      },
    ],
  };
};
