import { Validations } from 'aws-cdk-lib';
import {
  type GatewayVpcEndpoint,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { JobsTable } from './jobs-table.ts';
import type { Results } from './results.ts';
import type { Uploads } from './uploads.ts';

/** What can be reached from within, besides the file system. */
export interface WorkspaceNetworkProps {
  readonly jobs: JobsTable;
  readonly uploads: Uploads;
  readonly results: Results;
}

/**
 * A network that leads nowhere but to the file system, the jobs and the objects of jobs: no internet gateway, no NAT,
 * endpoints that cost nothing an hour. Functions in it cannot call SQS, Secrets Manager or connections.
 */
export class WorkspaceNetwork extends Construct {
  /** Two subnets, in two Availability Zones. */
  readonly vpc: IVpc;
  /** Of functions that mount the file system. */
  readonly steps: SecurityGroup;
  /** Of the file system. */
  readonly files: SecurityGroup;

  constructor(scope: Construct, id: string, props: WorkspaceNetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', {
      // The smallest that two subnets of 59 addresses fit into; functions with the same subnet and security group
      // share an address (Lambda Developer Guide, foundation-networking).
      ipAddresses: IpAddresses.cidr('10.0.0.0/25'),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Steps', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 26 }],
      // To close it, the CDK deploys a function. Nothing is in the group, and nothing can be put into it by others
      // than those who may change security groups as well.
      restrictDefaultSecurityGroup: false,
    });
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'There is no way in or out but to one file system, one table and two buckets, which have logs of their own.',
    });
    this.vpc = vpc as IVpc; // it is one: the CDK's own types do not tell what is undefined from what is not there
    this.steps = new SecurityGroup(this, 'Steps', {
      vpc: this.vpc,
      description: 'Functions that mount the file system',
      allowAllOutbound: false,
    });
    this.files = new SecurityGroup(this, 'Files', {
      vpc: this.vpc,
      description: 'The file system',
      allowAllOutbound: false,
    });
    const nfs = Port.tcp(2049);
    this.files.addIngressRule(this.steps, nfs, 'Mounts');
    this.steps.addEgressRule(this.files, nfs, 'Mounts');
    // Addresses of services, which only a look-up in the account could name; routes lead to the endpoints alone.
    this.steps.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'S3 and DynamoDB, by the endpoints');

    const { uploads, results, jobs } = props;
    const s3 = this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    allow(s3, ['s3:GetObject'], uploads.named.arnForObjects(`${uploads.prefix}*`));
    allow(s3, ['s3:ListBucket'], uploads.named.bucketArn);
    allow(s3, ['s3:PutObject'], results.bucket.arnForObjects(`${results.prefix}*`));
    const dynamoDb = this.vpc.addGatewayEndpoint('DynamoDb', {
      service: GatewayVpcEndpointAwsService.DYNAMODB,
    });
    allow(dynamoDb, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], jobs.table.tableArn);
  }
}

/** Lets whoever may do so do it through the endpoint: who that is, roles say (a gateway endpoint's policy names nobody). */
function allow(endpoint: GatewayVpcEndpoint, actions: readonly string[], resource: string): void {
  endpoint.addToPolicy(
    new PolicyStatement({ principals: [new AnyPrincipal()], actions: [...actions], resources: [resource] }),
  );
}
