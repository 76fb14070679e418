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
      // None of the keys ever changes, so a report of progress writes nothing here. With whole jobs it would cost
      // twice, and wait for the one partition that all of an owner's jobs are in: with auth=open, everybody's.
      projectionType: ProjectionType.KEYS_ONLY,
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

  /** Lets a function list the jobs of an owner: their keys are in the index, they themselves in the table. */
  allowList(caller: NodeFunction): void {
    this.allow(caller, ['BatchGetItem']);
    caller.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${this.ownerIndexName}`]);
  }
}
