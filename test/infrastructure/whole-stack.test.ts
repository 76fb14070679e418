import { describe, expect, it } from 'vitest';
import { SynthesizedStack } from './synthesized-stack.ts';
import { COMBINATIONS, contextOf } from './variants.ts';

const stack = new SynthesizedStack();

/** Types that act by themselves: nothing refers to them, they refer to what they act on. */
const ACTING = [
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::RouteResponse',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CloudWatch::Alarm',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPCEndpoint',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Permission',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'Custom::CDKBucketDeployment',
];

/** Types that need what nobody refers to: a stage the role of its log, a function what it mounts. */
const WAITING = ['AWS::ApiGatewayV2::Stage', 'AWS::Lambda::Function'];

/** The logical ids that a value refers to. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    if (name === 'Ref') return [String(item)];
    if (name === 'Fn::GetAtt') return [String(item[0])];
    return referencesIn(item);
  });
}

describe('stack', () => {
  it.each(COMBINATIONS)('deploys nothing that it does not use: %j', (combination) => {
    const stack = new SynthesizedStack(contextOf(combination));
    const used = new Set(
      Object.values(stack.resources).flatMap((resource) => [
        ...referencesIn(resource.Properties),
        ...(WAITING.includes(resource.Type) ? (resource.DependsOn ?? []) : []),
      ]),
    );
    const unused = Object.entries(stack.resources)
      .filter(([id, resource]) => !used.has(id) && !ACTING.includes(resource.Type))
      .map(([id]) => stack.path(id));
    expect(unused).toEqual([]);
  });

  it('deploys one function of the CDK, which copies the page, and no other helper', () => {
    const helpers = Object.keys(stack.ofType('AWS::Lambda::Function')).filter(
      (path) => !path.endsWith('/Function'),
    );
    expect(helpers).toEqual([expect.stringMatching(/^Custom::CDKBucketDeployment/)]);
    const custom = Object.values(stack.resources).filter(({ Type }) => Type.startsWith('Custom::'));
    expect(custom).toHaveLength(1);
  });

  it('is the same wherever and whenever it is synthesized', () => {
    expect(new SynthesizedStack().resources).toEqual(stack.resources);
  });

  it('puts out the three addresses', () => {
    const outputs = Object.entries(stack.template.toJSON()['Outputs']).map(([name, output]) => [
      name,
      stack.readable((output as { Value: unknown }).Value), // every output has one
    ]);
    expect(Object.fromEntries(outputs)).toEqual({
      dashboard: 'https://<Page/Distribution.DomainName>',
      api: '<HttpApi/Api.ApiEndpoint>',
      socket: '<SocketApi/Api.ApiEndpoint>/v1',
    });
  });
});

describe('alarms', () => {
  it('ring for everything that was given up, for lateness, errors and throttles', () => {
    const alarms = Object.entries(stack.ofType('AWS::CloudWatch::Alarm'));
    expect(alarms.map(([path]) => path).sort()).toEqual([
      'Alarms/BroadcastsFailed',
      'Alarms/BroadcastsLate',
      'Alarms/DeadlinesFailed',
      'Alarms/DeliveriesFailed',
      'Alarms/FunctionErrors',
      'Alarms/FunctionThrottles',
      'Alarms/PostsRefused',
      'Alarms/PublishFailed',
      'Alarms/PublishLate',
      'Alarms/RangesAbandoned',
      'Alarms/UploadsFailed',
      'Alarms/WorkFailed',
      'Alarms/WorkLate',
    ]);
    for (const [path, { Properties }] of alarms) {
      expect(Properties, path).toMatchObject({
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
        AlarmDescription: expect.stringMatching(/\. .*\./), // what it means, and what to do
      });
    }
  });

  it('count no refused ticket as an error', () => {
    const [errors] = Object.entries(stack.ofType('AWS::CloudWatch::Alarm')).flatMap(
      ([path, { Properties }]) =>
        path === 'Alarms/FunctionErrors' ? [JSON.stringify(stack.readable(Properties['Metrics']))] : [],
    );
    expect(errors).toContain('SocketRoutes/Socket');
    expect(errors).not.toContain('SocketRoutes/Authorize');
  });

  it('watch every queue where failures end', () => {
    const watched = Object.values(stack.ofType('AWS::CloudWatch::Alarm')).flatMap(({ Properties }) =>
      Properties['MetricName'] === 'ApproximateNumberOfMessagesVisible'
        ? [JSON.stringify(stack.readable(Properties['Dimensions']))]
        : [],
    );
    const failures = Object.keys(stack.ofType('AWS::SQS::Queue')).filter((path) => !path.endsWith('/Queue'));
    expect(watched.sort()).toEqual(
      failures.map((path) => `[{"Name":"QueueName","Value":"<${path}.QueueName>"}]`).sort(),
    );
  });

  it('tell whoever is named, and deploy no topic for nobody', () => {
    expect(stack.ofType('AWS::SNS::Topic')).toEqual({});
    const told = new SynthesizedStack({ alarmEmail: 'on@call.example' });
    expect(
      Object.values(told.ofType('AWS::SNS::Subscription')).map(({ Properties }) => Properties),
    ).toMatchObject([{ Protocol: 'email', Endpoint: 'on@call.example' }]);
    for (const { Properties } of Object.values(told.ofType('AWS::CloudWatch::Alarm'))) {
      expect(told.readable(Properties['AlarmActions'])).toEqual(['<Alarms/Topic>']);
    }
    // Without it no mail ever goes out: `enforceSSL` replaces the topic's default policy.
    expect(
      Object.values(told.ofType('AWS::SNS::TopicPolicy')).map(({ Properties }) => Properties),
    ).toMatchObject([
      {
        PolicyDocument: {
          Statement: expect.arrayContaining([
            expect.objectContaining({
              Effect: 'Allow',
              Action: 'sns:Publish',
              Principal: { Service: 'cloudwatch.amazonaws.com' },
            }),
          ]),
        },
      },
    ]);
  });
});
