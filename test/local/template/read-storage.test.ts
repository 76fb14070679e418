import { describe, expect, it } from 'vitest';
import { StartError, UnsupportedTemplateError } from '../../../local/errors.ts';
import { createScope } from '../../../local/template/identities.ts';
import type { Stack } from '../../../local/template/properties.ts';
import { InvokePermissions } from '../../../local/template/read-permissions.ts';
import { readNotifyingBuckets } from '../../../local/template/read-storage.ts';
import { parseTemplate } from '../../../local/template/template.ts';

const HOSTS = { page: '', httpApi: '', socketApi: '', storage: '', queues: '', secretArn: () => '' };
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:Stack-Listener';
const PERMISSION = {
  Action: 'lambda:InvokeFunction',
  FunctionName: { 'Fn::GetAtt': ['Listener', 'Arn'] },
  Principal: 's3.amazonaws.com',
  SourceArn: 'arn:aws:s3:::the-bucket',
  SourceAccount: { Ref: 'AWS::AccountId' },
};

/** The buckets of a template with one, told to notify in this way. */
function bucketsOf(notification: object, permission: object = PERMISSION) {
  const template = parseTemplate({
    Resources: {
      Uploads: {
        Type: 'AWS::S3::Bucket',
        Properties: { BucketName: 'the-bucket', NotificationConfiguration: notification },
      },
      Listener: { Type: 'AWS::Lambda::Function', Properties: {} },
      Permission: { Type: 'AWS::Lambda::Permission', Properties: permission },
    },
  });
  const stack: Stack = {
    stackName: 'Stack',
    template,
    assets: new Map(),
    scope: createScope('Stack', template, HOSTS),
  };
  return readNotifyingBuckets(stack, new InvokePermissions(stack));
}

describe('the notifications of a bucket', () => {
  const told = (fields: object = {}) => ({
    LambdaConfigurations: [
      { Event: 's3:ObjectCreated:*', Function: { 'Fn::GetAtt': ['Listener', 'Arn'] }, ...fields },
    ],
  });

  it('are read', () => {
    const Filter = { S3Key: { Rules: [{ Name: 'prefix', Value: 'in/' }] } };
    expect(bucketsOf(told({ Filter }))).toMatchObject([
      {
        name: 'the-bucket',
        eventBridge: false,
        notifications: [
          {
            event: 's3:ObjectCreated:*',
            functionArn: FUNCTION,
            rules: [{ name: 'prefix', value: 'in/' }],
          },
        ],
      },
    ]);
    expect(bucketsOf({ EventBridgeConfiguration: { EventBridgeEnabled: true } })).toMatchObject([
      { eventBridge: true, notifications: [] },
    ]);
  });

  it.each([
    { Principal: 'events.amazonaws.com' },
    { SourceArn: 'arn:aws:s3:::another-bucket' },
    { SourceAccount: '111111111111' },
    { FunctionName: 'another' },
  ])('are refused where the bucket may not invoke the function: %j', (fields) => {
    const read = () => bucketsOf(told(), { ...PERMISSION, ...fields });
    expect(read).toThrow(StartError);
    expect(read).toThrow(`arn:aws:s3:::the-bucket may not invoke ${FUNCTION}`);
  });

  it.each([
    told({ Event: 's3:ObjectRemoved:*' }),
    told({ Filter: { S3Key: { Rules: [{ Name: 'infix', Value: 'x' }] } } }),
    { QueueConfigurations: [] },
  ])('are refused where the runtime would not honour them: %j', (notification) => {
    expect(() => bucketsOf(notification)).toThrow(UnsupportedTemplateError);
  });
});
