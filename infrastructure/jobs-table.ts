import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';

/** The only truth: one item a job. Its stream is what the publisher tells watchers from. */
export class JobsTable extends Construct {
  readonly table: Table;
  readonly ownerIndexName = 'by-owner';

  constructor(scope: Construct, id: string, props: Pick<Settings, 'data'>) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'job', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST, // nobody knows the load beforehand
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: props.data === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: this.ownerIndexName,
      partitionKey: { name: 'owner', type: AttributeType.STRING },
      sortKey: { name: 'createdAt', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL, // the list shows whole jobs
    });
  }

  /** Lets a function call the table, by key. */
  allow(
    caller: NodeFunction,
    actions: readonly ('PutItem' | 'GetItem' | 'BatchGetItem' | 'UpdateItem')[],
  ): void {
    caller.allow(
      actions.map((action) => `dynamodb:${action}`),
      [this.table.tableArn],
    );
  }

  /** Lets a function list the jobs of an owner. */
  allowList(caller: NodeFunction): void {
    caller.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${this.ownerIndexName}`]);
  }
}
