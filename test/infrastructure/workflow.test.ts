import { StateMachine } from 'aws-local-stepfunctions';
import { describe, expect, it } from 'vitest';
import { LAST_TRY_BEFORE_END, STOP_BEFORE_END } from '../../handlers/process/time-left.ts';
import { SynthesizedStack } from './synthesized-stack.ts';

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly JitterStrategy?: string;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds?: number;
}

/** What a state says, as far as it is looked at here. */
interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: Readonly<Record<string, string>>;
  readonly ItemSelector?: Readonly<Record<string, string>>;
  readonly ResultPath?: string | null;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly {
    readonly Next: string;
    readonly Variable: string;
    readonly StringEquals: string;
  }[];
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
  readonly MaxConcurrency?: number;
}

/** So long one request to DynamoDB may take, in seconds: three attempts of four (handlers/aws/clients.ts). */
const REQUEST_SECONDS = 12;

/** What steps end by, as they say themselves; and what would hide that. */
const ENDED_BY_NAME = [
  ...['JobFailed', 'StepFailed', 'StepTimedOut', 'StepStopped'],
  ...['States.TaskFailed', 'States.ALL'],
];

const WHICH = { 'job.$': '$.job', 'epoch.$': '$.epoch', 'execution.$': '$$.Execution.Name' };

describe.each(['step-functions', 'step-functions-efs'])('the workflow of %s', (processing) => {
  const stack = new SynthesizedStack({ processing });
  const machine = stack.properties('AWS::StepFunctions::StateMachine', 'Workflow/StateMachine/Machine');
  const definition: {
    readonly StartAt: string;
    readonly TimeoutSeconds: number;
    readonly States: Readonly<Record<string, State>>;
  } = JSON.parse(String(stack.readable(machine['DefinitionString'])));
  const { States } = definition;
  const state = (name: string): State => {
    const found = States[name];
    if (found === undefined) throw new Error(`There is no state ${name}`);
    return found;
  };
  const inner = Object.entries(state('Profile').ItemProcessor?.States ?? {});
  const tasks = [...Object.entries(States), ...inner].filter(([, { Type }]) => Type === 'Task');
  const hasFetch = processing === 'step-functions-efs';
  const functions = ['Begin', ...(hasFetch ? ['Fetch'] : []), 'Inspect', 'Profile', 'Merge', 'Fail'];

  it('is written as the language wants it', () => {
    // The local runtime's own check; what stands for ARNs here are names of constructs.
    const options = { validationOptions: { checkArn: false } };
    expect(() => new StateMachine(JSON.parse(JSON.stringify(definition)), options)).not.toThrow();
    const broken = { ...definition, StartAt: 'Nowhere' };
    expect(() => new StateMachine(JSON.parse(JSON.stringify(broken)), options)).toThrow();
  });

  it('goes through its steps in their order, and drops a job that is not there to be worked on', () => {
    const path = ['Begin', 'Claimed', ...(hasFetch ? ['Fetch'] : []), 'Inspect', 'Profile', 'Merge'];
    expect(definition.StartAt).toBe('Begin');
    for (const [index, name] of path.entries()) {
      const { Next, Choices } = state(name);
      expect(Choices?.[0]?.Next ?? Next, name).toBe(path[index + 1]);
    }
    expect(state('Claimed').Choices).toEqual([
      expect.objectContaining({ Variable: '$.begun.outcome', StringEquals: 'claimed' }),
    ]);
    expect(state(state('Claimed').Default ?? '').Type).toBe('Succeed');
  });

  it('invokes each of its functions in one state, and nothing else', () => {
    expect(tasks.map(([, { Resource }]) => Resource).sort()).toEqual(
      functions.map((name) => `<Workflow/${name}/Function.Arn>`).sort(),
    );
  });

  it('gives every step a time-out before the one of its function, another try with jitter, and a way out', () => {
    for (const [name, { Resource, TimeoutSeconds, Retry, Catch }] of tasks) {
      const path = String(Resource).replace(/^<(.*)\.Arn>$/, '$1');
      const { Timeout } = stack.properties('AWS::Lambda::Function', path);
      expect(TimeoutSeconds, name).toBeLessThan(Number(Timeout));
      expect(TimeoutSeconds, name).toBeGreaterThan(Number(Timeout) - STOP_BEFORE_END / 1000);
      const lastTry = Number(Timeout) - LAST_TRY_BEFORE_END / 1000;
      expect(TimeoutSeconds, name).toBeGreaterThanOrEqual(lastTry + REQUEST_SECONDS);
      expect(Retry?.length, name).toBeGreaterThan(0);
      for (const { JitterStrategy } of Retry ?? []) expect(JitterStrategy).toBe('FULL');
      const caughtBy = inner.some(([one]) => one === name) ? state('Profile').Catch : Catch;
      expect(caughtBy, name).toEqual([expect.objectContaining({ ErrorEquals: ['States.ALL'] })]);
      expect(caughtBy?.[0]?.Next, name).toBe(name === 'Fail' ? 'Failed' : 'Fail');
    }
    // At most 40 ranges (decision 19), one at a time if whoever deploys says so; and an hour for `Begin`.
    expect(definition.TimeoutSeconds).toBeGreaterThan((40 + functions.length - 3) * 900 + 3600 - 1);
  });

  it('tries again what Lambda could not run and what was killed, never what a step has said', () => {
    for (const [name, { Retry }] of tasks.filter(([one]) => one !== 'Fail')) {
      const errors = Retry?.flatMap(({ ErrorEquals }) => ErrorEquals) ?? [];
      expect(errors, name).toEqual(
        expect.arrayContaining([
          'Lambda.ServiceException',
          'Lambda.AWSLambdaException',
          'Lambda.SdkClientException',
          'Lambda.TooManyRequestsException',
          'Lambda.ENINotReadyException',
          'Lambda.ResourceConflictException',
          'Lambda.SubnetIPAddressLimitReachedException',
          'Lambda.Unknown',
          'Runtime.ExitError',
          'Runtime.OutOfMemory',
          'UnavailableError',
        ]),
      );
      for (const said of ENDED_BY_NAME) expect(errors, name).not.toContain(said);
      expect(errors.includes('States.Timeout'), name).toBe(name === 'Begin');
    }
  });

  it('waits most of an hour for the table before a job has begun: it is queued, and may be for hours', () => {
    const [first] = state('Begin').Retry ?? [];
    const waits = ['UnavailableError', 'Lambda.TooManyRequestsException', 'States.Timeout'];
    expect(first?.ErrorEquals).toEqual(expect.arrayContaining(waits));
    // With full jitter a wait is half of the longest, on average.
    const seconds = ((first?.MaxDelaySeconds ?? 0) / 2) * (first?.MaxAttempts ?? 0);
    expect(seconds).toBeGreaterThan(1500);
    expect(seconds * 2).toBeLessThanOrEqual(3600); // what the time-out of the whole has for it
  });

  it('hands on names only: what steps answer is thrown away, but for the outcome and the numbers of ranges', () => {
    for (const [name, { Parameters, ResultPath }] of Object.entries(States).filter(
      ([, { Type }]) => Type === 'Task',
    )) {
      expect(Parameters, name).toEqual(name === 'Fail' ? { ...WHICH, 'error.$': '$.error' } : WHICH);
      const kept = { Begin: '$.begun', Inspect: '$.plan' }[name] ?? null;
      expect(ResultPath, name).toBe(kept);
    }
    expect(state('Profile')).toMatchObject({
      Type: 'Map',
      ItemsPath: '$.plan.ranges',
      ItemSelector: { ...WHICH, 'range.$': '$$.Map.Item.Value' },
      MaxConcurrency: 5, // half of what a new account has
      ResultPath: null,
    });
  });

  it('ends as failed only for what is nobody’s file and nobody’s wish', () => {
    expect(state('Fail').Next).toBe('AsMeant');
    const asMeant = state('AsMeant');
    expect(asMeant.Choices?.map(({ StringEquals, Next }) => [StringEquals, state(Next).Type])).toEqual([
      ['JobFailed', 'Succeed'],
      ['StepStopped', 'Succeed'],
    ]);
    expect(state(asMeant.Default ?? '').Type).toBe('Fail');
  });

  it('has Fail told of every execution that did not succeed, and loses no such event', () => {
    const rule = stack.readable(stack.properties('AWS::Events::Rule', 'Workflow/Ends/Rule'));
    expect(rule).toMatchObject({
      State: 'ENABLED',
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: ['<Workflow/StateMachine/Machine>'],
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
      Targets: [
        {
          Arn: '<Workflow/Fail/Function.Arn>',
          DeadLetterConfig: { Arn: '<Workflow/Ends/Failures.Arn>' },
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
        },
      ],
    });
    const invocation = stack.properties('AWS::Lambda::EventInvokeConfig', 'Workflow/Ends/Invocation');
    expect(stack.readable(invocation)).toMatchObject({
      FunctionName: '<Workflow/Fail/Function>',
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: '<Workflow/Ends/Failures.Arn>' } },
    });
  });

  it('is a Standard workflow, and logs what goes wrong for a month, where policies have room', () => {
    expect(stack.readable(machine)).toMatchObject({
      StateMachineType: 'STANDARD',
      RoleArn: '<Workflow/StateMachine/Role.Arn>',
      LoggingConfiguration: {
        Level: 'ERROR',
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: '<Workflow/StateMachine/Log.Arn>' } }],
      },
    });
    expect(stack.readable(stack.properties('AWS::Logs::LogGroup', 'Workflow/StateMachine/Log'))).toEqual({
      LogGroupName: '/aws/vendedlogs/states/jobwire-<part 2 of <AWS::StackId> by />',
      RetentionInDays: 30,
    });
    const [created] = Object.values(stack.ofType('AWS::StepFunctions::StateMachine'));
    expect(created?.DependsOn?.map((id) => stack.path(id))).toContain(
      'Workflow/StateMachine/Role/DefaultPolicy',
    );
  });
});
