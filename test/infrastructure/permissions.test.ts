import { describe, expect, it } from 'vitest';
import { expectedGrants } from './expected-grants.ts';
import { SynthesizedStack } from './synthesized-stack.ts';
import { PROCESSING } from './variants.ts';

describe.each(PROCESSING)('permissions with %s', (processing) => {
  const stack = new SynthesizedStack({ processing });
  const table = expectedGrants(processing);

  it.each(Object.entries(table))('%s may do what it needs and nothing else', (name, grants) => {
    const log = [`logs:CreateLogStream <${name}/Log.Arn>`, `logs:PutLogEvents <${name}/Log.Arn>`];
    expect(stack.grantsOfRole(`${name}/Role`)).toEqual([...grants, ...log].sort());
  });

  it('lets a state machine invoke its functions, and write its log', () => {
    if (processing === 'lambda') return expect(stack.ofType('AWS::StepFunctions::StateMachine')).toEqual({});
    const steps = Object.keys(table).filter((path) => path.startsWith('Workflow/'));
    const grants = stack.grantsOfRole('Workflow/StateMachine/Role');
    expect(grants.filter((grant) => !grant.startsWith('logs:'))).toEqual(
      steps.map((path) => `lambda:InvokeFunction <${path}/Function.Arn>`).sort(),
    );
    expect(grants.filter((grant) => grant.startsWith('logs:'))).toHaveLength(8);
  });

  it('leaves no function of ours out of the table', () => {
    const functions = Object.keys(stack.ofType('AWS::Lambda::Function'))
      .filter((path) => !path.startsWith('Custom::'))
      .map((path) => path.replace(/\/Function$/, ''));
    expect(functions.sort()).toEqual(Object.keys(table).sort());
  });

  it('gives no role a managed policy, and lets only the service that needs it assume it', () => {
    const roles = Object.entries(stack.ofType('AWS::IAM::Role'));
    expect(roles).toHaveLength(Object.keys(table).length + 2 + (processing === 'lambda' ? 0 : 1));
    for (const [path, { Properties }] of roles) {
      expect(Properties['ManagedPolicyArns'], path).toBeUndefined();
      const service =
        { 'SocketStage/LogRole/Role': 'apigateway', 'Workflow/StateMachine/Role': 'states' }[path] ??
        'lambda';
      expect(JSON.stringify(Properties['AssumeRolePolicyDocument']), path).toContain(
        `"${service}.amazonaws.com"`,
      );
    }
  });

  it('lets each function be invoked by the one resource that invokes it', () => {
    const invokers = Object.values(stack.ofType('AWS::Lambda::Permission')).map(({ Properties }) => [
      stack.readable(Properties['FunctionName']),
      Properties['Principal'],
      stack.readable(Properties['SourceArn']),
    ]);
    const api = 'arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>';
    expect(invokers.sort()).toEqual([
      ['<HttpApi/Handler/Function.Arn>', 'apigateway.amazonaws.com', `${api}:<HttpApi/Api>/*/*`],
      [
        '<SocketRoutes/Authorize/Function.Arn>',
        'apigateway.amazonaws.com',
        `${api}:<SocketApi/Api>/authorizers/<SocketRoutes/Authorizer>`,
      ],
      ['<SocketRoutes/Socket/Function.Arn>', 'apigateway.amazonaws.com', `${api}:<SocketApi/Api>/v1/*`],
      ['<Uploaded/ObjectCreated/Function.Arn>', 'events.amazonaws.com', '<Uploaded/Rule.Arn>'],
      ...(processing === 'lambda'
        ? []
        : [['<Workflow/Fail/Function.Arn>', 'events.amazonaws.com', '<Workflow/Ends/Rule.Arn>']]),
    ]);
  });
});
