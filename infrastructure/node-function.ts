import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  EventSourceMapping,
  type FileSystem,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { VARIABLES, type Variable } from '../handlers/environment.ts';
import { wildcardFinding } from './wildcard-finding.ts';

/** A file system that functions see as a folder, and the network that it is in, which has no way to the internet. */
export interface Mount {
  readonly vpc: IVpc;
  readonly securityGroups: readonly ISecurityGroup[];
  readonly fileSystem: FileSystem;
}

/** What a function of ours is made of. */
export interface NodeFunctionProps {
  /** The folder that holds `index.cjs`. */
  readonly bundle: string;
  /** What the function does, in one line for the console. */
  readonly description: string;
  /** MB. One virtual CPU comes with 1,769 MB, and parts of one with less (aws-facts 6). */
  readonly memory: number;
  readonly timeout: Duration;
  /** What the entry file asks `readEnvironment` for, and no more. */
  readonly variables: Readonly<Partial<Record<Variable, string>>>;
  /** Without, the function is in no network of ours, and reaches every service. */
  readonly mount?: Mount;
}

/**
 * A function: Node 24 on arm64, a log group of its own with retention, and a role that may write to that log
 * group and do nothing else until `allow` says so.
 */
export class NodeFunction extends Construct {
  readonly function: LambdaFunction;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY, // a log of functions that are gone helps nobody
    });
    // A role of our own, because the role that the CDK makes carries AWSLambdaBasicExecutionRole, which may
    // write to every log group of the account.
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64, // a fifth cheaper, and it starts sooner (aws-facts 6 and 7)
      handler: 'index.handler',
      code: Code.fromAsset(props.bundle),
      memorySize: props.memory,
      timeout: props.timeout,
      environment: environmentOf(props.variables),
      role: this.role,
      logGroup,
      ...(props.mount === undefined ? {} : inNetwork(props.mount)),
    });
    if (props.mount !== undefined) this.allowNetwork();
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
  }

  /** Lets Lambda connect the function to its network, which it does with the function's role. */
  private allowNetwork(): void {
    // Lambda Developer Guide, configuration-vpc.
    const actions = [
      'CreateNetworkInterface',
      'DescribeNetworkInterfaces',
      'DescribeSubnets',
      'DeleteNetworkInterface',
      'AssignPrivateIpAddresses',
      'UnassignPrivateIpAddresses',
    ];
    this.allow(
      actions.map((action) => `ec2:${action}`),
      ['*'],
    );
    this.acknowledgeWildcard(
      '*',
      'Network interfaces have no names before Lambda makes them, and it checks the role for all.',
    );
  }

  /** Sets variables that were not known when the function was made. */
  tell(variables: NodeFunctionProps['variables']): void {
    for (const [name, value] of Object.entries(environmentOf(variables))) {
      this.function.addEnvironment(name, value);
    }
  }

  /** Lets the function do the actions on the resources (ARNs), and on nothing else. */
  allow(actions: readonly string[], resources: readonly string[]): void {
    this.function.addToRolePolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] }),
    );
  }

  /** Lets the function do an action on every object whose key begins with the prefix. */
  allowKeys(action: string, bucket: Pick<IBucket, 'arnForObjects'>, prefix: string): void {
    const keys = bucket.arnForObjects(`${prefix}*`);
    this.allow([action], [keys]);
    this.acknowledgeWildcard(keys, 'The keys are those of jobs that do not exist yet.');
  }

  /** Says why a resource that the function is allowed (an ARN) cannot but end in a wildcard. */
  acknowledgeWildcard(resource: string, reason: string): void {
    Validations.of(this.role).acknowledge({ id: wildcardFinding(this, resource), reason });
  }

  /**
   * Invokes the function with batches of the queue's messages; only those that it names as failed come again.
   * A batch waits for nothing: what is there is taken. A function that consumes several queues names each mapping.
   */
  consume(
    queue: IQueue,
    batch: { readonly size: number; readonly maxConcurrency: number },
    mapping = 'Messages',
  ): void {
    this.allow(
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], // what the event source mapping calls
      [queue.queueArn],
    );
    new EventSourceMapping(this, mapping, {
      target: this.function,
      eventSourceArn: queue.queueArn,
      batchSize: batch.size,
      maxConcurrency: batch.maxConcurrency,
      reportBatchItemFailures: true,
    });
  }
}

function inNetwork({ vpc, securityGroups, fileSystem }: Mount) {
  const vpcSubnets = { subnetType: SubnetType.PRIVATE_ISOLATED };
  return { vpc, vpcSubnets, securityGroups: [...securityGroups], filesystem: fileSystem };
}

function environmentOf(variables: NodeFunctionProps['variables']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [VARIABLES[name as Variable], value]), // keys of a Record<Variable, …>
  );
}
