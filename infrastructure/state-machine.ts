import { ArnFormat, Aws, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { PERIOD } from './alarms.ts';
import type { NodeFunction } from './node-function.ts';

/** What a state machine of ours is made of. */
export interface StateMachineProps {
  /** In the Amazon States Language; ARNs may be tokens. */
  readonly definition: object;
  /** The functions that its states invoke. */
  readonly functions: readonly NodeFunction[];
}

/** A Standard workflow, which may invoke its functions and nothing else, with a log of what went wrong. */
export class StateMachine extends Construct {
  readonly arn: string;
  private readonly name: string;

  constructor(scope: Construct, id: string, props: StateMachineProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      // Under this prefix, log groups share one resource policy, which has room for few that stand for themselves
      // (https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html). The stack's id makes it its own.
      logGroupName: Fn.join('', [
        '/aws/vendedlogs/states/jobwire-',
        Fn.select(2, Fn.split('/', Aws.STACK_ID)),
      ]),
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = this.makeRole(props.functions);
    const machine = new CfnStateMachine(this, 'Machine', {
      stateMachineType: 'STANDARD',
      definitionString: Stack.of(this).toJsonString(props.definition),
      roleArn: role.roleArn,
      loggingConfiguration: {
        level: 'ERROR',
        includeExecutionData: true, // names of jobs, and what errors say
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logGroup.logGroupArn } }],
      },
    });
    // With its policies: Step Functions tries the log when the state machine is made.
    machine.node.addDependency(role);
    this.arn = machine.ref;
    this.name = machine.attrName;
    Validations.of(machine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason:
          'The history of each execution holds every event for 90 days; the log is for what went wrong.',
      },
      {
        id: 'AwsSolutions-SF2',
        reason:
          'States run one after the other, and the history has the times of each. Functions are not traced either.',
      },
    );
  }

  /** Lets a function start executions. */
  allowStart(caller: NodeFunction): void {
    caller.allow(['states:StartExecution'], [this.arn]);
  }

  /** Lets a function stop executions. */
  allowStop(caller: NodeFunction): void {
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${this.name}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    caller.allow(['states:StopExecution'], [executions]);
    caller.acknowledgeWildcard(executions, 'Executions are called after jobs that do not exist yet.');
  }

  /** How many executions it happened to. */
  metric(metricName: 'ExecutionsFailed' | 'ExecutionsTimedOut' | 'ExecutionThrottled'): Metric {
    return new Metric({
      namespace: 'AWS/States',
      metricName,
      dimensionsMap: { StateMachineArn: this.arn },
      statistic: 'Sum',
      period: PERIOD,
    });
  }

  private makeRole(functions: readonly NodeFunction[]): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: functions.map((one) => one.function.functionArn),
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        // What Step Functions does to log (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).
        actions: [
          'logs:CreateLogDelivery',
          'logs:GetLogDelivery',
          'logs:UpdateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:DescribeResourcePolicies',
          'logs:DescribeLogGroups',
        ],
        resources: ['*'],
      }),
    );
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Log deliveries have no resources of their own in IAM.',
    });
    return role;
  }
}
