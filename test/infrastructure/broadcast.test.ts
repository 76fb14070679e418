import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entriesOf } from '../../infrastructure/entries.ts';
import { broadcastTopic } from '../../protocol/broadcast.ts';
import { SynthesizedStack } from './synthesized-stack.ts';
import { IOT_HOST } from './variants.ts';

const stack = new SynthesizedStack({ broadcast: 'iot-core', iotEndpoint: IOT_HOST });
const plain = new SynthesizedStack();
const TOPICS = 'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:topic/jobwire/jobs/*';

function variablesOf(path: string): Readonly<Record<string, unknown>> {
  const { Environment } = stack.properties('AWS::Lambda::Function', `${path}/Function`);
  const { Variables } = stack.readable(Environment) as { Variables: Readonly<Record<string, unknown>> }; // every function has some
  return Variables;
}

/** What a function may do beside writing to its own log group: an action and a resource a line, sorted. */
function grantsOf(one: SynthesizedStack, path: string): readonly string[] {
  return Object.values(one.ofType('AWS::IAM::Policy'))
    .filter(({ Properties }) => JSON.stringify(one.readable(Properties['Roles'])) === `["<${path}/Role>"]`)
    .flatMap(({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement) // as IAM has it
    .flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((what) => `${action} ${one.readable(what)}`)),
    )
    .filter((grant) => !grant.startsWith('logs:'))
    .sort();
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

describe('broadcast=iot-core', () => {
  it('has an authorizer that IoT Core may invoke, and that expects no signature besides the ticket’s', () => {
    const authorizer = stack.properties('AWS::IoT::Authorizer', 'Broadcast/Authorizer');
    expect(stack.readable(authorizer)).toMatchObject({
      AuthorizerFunctionArn: '<Broadcast/Authorize/Function.Arn>',
      SigningDisabled: true,
      Status: 'ACTIVE',
    });
    const permission = stack.properties('AWS::Lambda::Permission', 'Broadcast/Authorize/Function/Broker');
    expect(stack.readable(permission)).toEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: '<Broadcast/Authorize/Function.Arn>',
      Principal: 'iot.amazonaws.com',
      SourceArn: '<Broadcast/Authorizer.Arn>',
    });
    const { Timeout } = stack.properties('AWS::Lambda::Function', 'Broadcast/Authorize/Function');
    expect(Timeout).toBe(5);
    expect(variablesOf('Broadcast/Authorize')).toEqual({ SIGNING_SECRET_ARN: '<SigningSecret/Secret>' });
    expect(grantsOf(stack, 'Broadcast/Authorize')).toEqual([
      'secretsmanager:GetSecretValue <SigningSecret/Secret>',
    ]);
  });

  it.each([
    ['Publishing/Publish', ['sqs:SendMessage']],
    [
      'Publishing/Deliver',
      ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    ],
  ])('lets %s publish to topics of jobs, and queue what has to wait, beside all else', (path, calls) => {
    expect(grantsOf(stack, path)).toEqual(
      [
        ...grantsOf(plain, path),
        `iot:Publish ${TOPICS}`,
        `iot:RetainPublish ${TOPICS}`,
        ...calls.map((call) => `${call} <Broadcast/Retained/Queue.Arn>`),
      ].sort(),
    );
    expect(broadcastTopic('job_1').startsWith(TOPICS.split('topic/')[1]?.slice(0, -1) ?? '?')).toBe(true);
    expect(variablesOf(path)).toMatchObject({
      IOT_ENDPOINT: `https://${IOT_HOST}`,
      RETAINED_QUEUE_URL: '<Broadcast/Retained/Queue>',
    });
  });

  it('has a queue for what is still to be retained, so that frames do not wait for a broker that hangs', () => {
    const mapping = stack.properties('AWS::Lambda::EventSourceMapping', 'Publishing/Deliver/Retained');
    expect(stack.readable(mapping)).toMatchObject({
      EventSourceArn: '<Broadcast/Retained/Queue.Arn>',
      FunctionName: '<Publishing/Deliver/Function>',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('tells the API where clients subscribe, and lets the page connect to it', () => {
    expect(variablesOf('HttpApi/Handler')).toMatchObject({
      BROADCAST_URL: `wss://${IOT_HOST}/mqtt`,
      BROADCAST_AUTHORIZER: '<Broadcast/Authorizer>',
    });
  });

  it('hears of deleted jobs, so that their retained messages go as well', () => {
    const filters = (one: SynthesizedStack): unknown[] => {
      const { FilterCriteria } = one.properties('AWS::Lambda::EventSourceMapping', 'Publishing/Changes');
      const { Filters } = FilterCriteria as { Filters: { Pattern: string }[] }; // as the mapping has it
      return Filters.map(({ Pattern }) => JSON.parse(Pattern));
    };
    const [states, ...others] = filters(stack);
    expect(filters(plain)).toEqual([states]);
    expect(others).toEqual([
      { eventName: ['REMOVE'], dynamodb: { OldImage: { seq: { N: [{ exists: true }] } } } },
    ]);
  });

  it('bundles entries of its own, so that the others load nothing of it', () => {
    const entries = entriesOf({ processing: { by: 'lambda' }, broadcast: { by: 'iot-core' } });
    for (const name of ['publish', 'deliver'] as const) {
      expect(entries[name]).toBe(`handlers/publish/${name}-broker.lambda.ts`);
      const other = readFileSync(
        new URL(`../../handlers/publish/${name}.lambda.ts`, import.meta.url),
        'utf8',
      );
      expect(other).not.toMatch(/iot|broker/i);
    }
  });
});
