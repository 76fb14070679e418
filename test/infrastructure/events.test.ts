import { describe, expect, it } from 'vitest';
import { SynthesizedStack, UPLOADS_BUCKET } from './synthesized-stack.ts';

const stack = new SynthesizedStack({ concurrentJobs: 12, postsPerSecond: 6_500 });
const HOUR = 3_600;
const DAY = 24 * HOUR;

describe('event source mappings', () => {
  it('publishes job states as they are committed, and lets no record block the stream', () => {
    const mapping = stack.readable(stack.properties('AWS::Lambda::EventSourceMapping', 'Publishing/Changes'));
    expect(mapping).toEqual({
      FunctionName: '<Publishing/Publish/Function>',
      EventSourceArn: '<Jobs/Table.StreamArn>',
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 0,
      ParallelizationFactor: 10,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 50,
      MaximumRecordAgeInSeconds: 2 * HOUR,
      DestinationConfig: { OnFailure: { Destination: '<Publishing/Failures.Arn>' } },
      FilterCriteria: {
        Filters: [
          {
            Pattern:
              '{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"seq":{"N":[{"exists":true}]}}}}',
          },
        ],
      },
    });
  });

  it.each([
    ['Processing/Process', 'Messages', 'Processing/Work/Queue', 1, 12],
    ['Publishing/Deliver', 'Messages', 'Publishing/Deliveries/Queue', 10, 5],
    ['Publishing/Deliver', 'Broadcasts', 'Publishing/Broadcasts/Queue', 1, 7],
    ['Sweeping/Sweep', 'Messages', 'Sweeping/Deadlines/Queue', 10, 2],
  ])(
    '%s (%s) consumes %s, %i at a time, %i at once, and names what failed',
    (consumer, name, queue, size, concurrency) => {
      const mapping = stack.properties('AWS::Lambda::EventSourceMapping', `${consumer}/${name}`);
      expect(stack.readable(mapping)).toEqual({
        FunctionName: `<${consumer}/Function>`,
        EventSourceArn: `<${queue}.Arn>`,
        BatchSize: size,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: concurrency },
      });
    },
  );
});

it.each([
  [100, 2],
  [5_000, 5],
  [1_000_000, 1_000],
])('shares %i posts a second among %i execution environments', (postsPerSecond, concurrency) => {
  const shared = new SynthesizedStack({ postsPerSecond });
  const mapping = shared.properties('AWS::Lambda::EventSourceMapping', 'Publishing/Deliver/Broadcasts');
  expect(mapping['ScalingConfig']).toEqual({ MaximumConcurrency: concurrency });
  const { Environment } = shared.properties('AWS::Lambda::Function', 'Publishing/Deliver/Function');
  expect(shared.readable(Environment)).toMatchObject({
    Variables: {
      POSTS_PER_SECOND: String(postsPerSecond),
      BROADCAST_CONCURRENCY: String(concurrency),
    },
  });
});

describe('queues', () => {
  it.each([
    ['Processing/Work', 900 + 30, 6 * HOUR, 3],
    ['Publishing/Deliveries', 6 * 30, 2 * HOUR, 5],
    ['Publishing/Broadcasts', 2 * 30, 2 * HOUR, 10],
    ['Sweeping/Deadlines', 6 * 60, 14 * DAY, 10],
  ])(
    '%s hides a received message for %i s, keeps it for %i s, and sets it aside after %i receives',
    (path, hidden, kept, receives) => {
      expect(stack.readable(stack.properties('AWS::SQS::Queue', `${path}/Queue`))).toEqual({
        VisibilityTimeout: hidden,
        MessageRetentionPeriod: kept,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: `<${path}/DeadLetters.Arn>`, maxReceiveCount: receives },
      });
    },
  );

  it('keeps failures for two weeks', () => {
    const failures = Object.keys(stack.ofType('AWS::SQS::Queue')).filter((path) => !path.endsWith('/Queue'));
    expect(failures.sort()).toEqual([
      'Processing/Work/DeadLetters',
      'Publishing/Broadcasts/DeadLetters',
      'Publishing/Deliveries/DeadLetters',
      'Publishing/Failures',
      'Sweeping/Deadlines/DeadLetters',
      'Uploaded/Failures',
    ]);
    for (const path of failures) {
      expect(stack.properties('AWS::SQS::Queue', path)).toEqual({
        MessageRetentionPeriod: 14 * DAY,
        SqsManagedSseEnabled: true,
      });
    }
  });

  it('are reached over TLS alone', () => {
    const policies = Object.values(stack.ofType('AWS::SQS::QueuePolicy')).map(({ Properties }) =>
      JSON.stringify(stack.readable(Properties)),
    );
    for (const path of Object.keys(stack.ofType('AWS::SQS::Queue'))) {
      const [policy] = policies.filter((text) => text.includes(`"Queues":["<${path}>"]`));
      expect(policy, path).toContain(
        `{"Action":"sqs:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"*"},"Resource":"<${path}.Arn>"}`,
      );
    }
  });
});

describe('uploads', () => {
  const notifying = new SynthesizedStack({
    concurrentJobs: 12,
    postsPerSecond: 6_500,
    uploadEvents: 's3-notifications',
  });
  const bucketOf = (from: SynthesizedStack) =>
    from.readable(from.properties('AWS::S3::Bucket', 'Uploads/Bucket')) as Record<string, unknown>; // an object stays one

  it('invoke the function for every object that a client may write', () => {
    expect(bucketOf(stack)['NotificationConfiguration']).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
    expect(stack.readable(stack.properties('AWS::Events::Rule', 'Uploaded/Rule'))).toMatchObject({
      State: 'ENABLED',
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: [UPLOADS_BUCKET] }, object: { key: [{ prefix: 'uploads/' }] } },
      },
      Targets: [
        {
          Arn: '<Uploaded/ObjectCreated/Function.Arn>',
          DeadLetterConfig: { Arn: '<Uploaded/Failures.Arn>' },
          RetryPolicy: { MaximumEventAgeInSeconds: DAY, MaximumRetryAttempts: 185 },
        },
      ],
    });
  });

  it('invoke it without EventBridge, where the bucket is to tell by itself', () => {
    expect(bucketOf(notifying)['NotificationConfiguration']).toEqual({
      LambdaConfigurations: [
        {
          Event: 's3:ObjectCreated:*',
          Function: '<Uploaded/ObjectCreated/Function.Arn>',
          Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'uploads/' }] } },
        },
      ],
    });
    const permission = notifying.properties('AWS::Lambda::Permission', 'Uploaded/Permission');
    expect(notifying.readable(permission)).toEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: '<Uploaded/ObjectCreated/Function.Arn>',
      Principal: 's3.amazonaws.com',
      SourceArn: `arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}`,
      SourceAccount: '<AWS::AccountId>',
    });
  });

  it('come from a bucket of the name that the listener knows, made after it', () => {
    for (const [from, last] of [
      [stack, 'Uploaded/Rule'],
      [notifying, 'Uploaded/Permission'],
    ] as const) {
      expect(bucketOf(from)['BucketName']).toBe(UPLOADS_BUCKET);
      const before = from.ofType('AWS::S3::Bucket')['Uploads/Bucket']?.DependsOn?.map((id) => from.path(id));
      expect(before).toEqual(expect.arrayContaining([last, 'Uploaded/ObjectCreated/Function']));
    }
  });

  it('are told of in two ways that differ in nothing else, so that one can be changed for the other', () => {
    const idsOnlyIn = (one: SynthesizedStack, other: SynthesizedStack) =>
      Object.keys(one.resources)
        .filter((id) => !(id in other.resources))
        .map((id) => one.path(id).replace(/AllowEventRule.*/, 'AllowEventRule'));
    expect(idsOnlyIn(stack, notifying).sort()).toEqual(['Uploaded/Rule', 'Uploaded/Rule/AllowEventRule']);
    expect(idsOnlyIn(notifying, stack)).toEqual(['Uploaded/Permission']);
    const changed = Object.entries(stack.resources).filter(
      ([id, { Properties }]) =>
        id in notifying.resources &&
        JSON.stringify(Properties) !== JSON.stringify(notifying.resources[id]?.Properties),
    );
    // EventBridge, unlike a bucket, sends what it could not hand over to the queue by itself.
    expect(changed.map(([id]) => stack.path(id)).sort()).toEqual([
      'Uploaded/Failures/Policy',
      'Uploads/Bucket',
    ]);
  });

  it.each([
    ['eventbridge', stack],
    ['s3-notifications', notifying],
  ])('keep the invocations that fail (%s)', (_, from) => {
    const config = from.properties('AWS::Lambda::EventInvokeConfig', 'Uploaded/Invocation');
    expect(from.readable(config)).toMatchObject({
      FunctionName: '<Uploaded/ObjectCreated/Function>',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 6 * HOUR,
      DestinationConfig: { OnFailure: { Destination: '<Uploaded/Failures.Arn>' } },
    });
  });
});
