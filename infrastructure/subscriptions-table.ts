import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';

/** Who watches what: one item a topic and connection. */
export class SubscriptionsTable extends Construct {
  readonly table: Table;
  readonly connectionIndexName = 'by-connection';

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'topic', type: AttributeType.STRING },
      sortKey: { name: 'connection', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: RemovalPolicy.DESTROY, // connections end with the stack
    });
    this.table.addGlobalSecondaryIndex({
      indexName: this.connectionIndexName,
      partitionKey: { name: 'connection', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY, // it is asked which rows a connection has, for deletion and count
    });
    Validations.of(this.table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'A connection lives two hours at most; what a backup could bring back would all be dead.',
    });
  }

  /** Lets a function find watchers and remove those that are gone. */
  allowUpkeep(caller: NodeFunction): void {
    caller.allow(['dynamodb:Query', 'dynamodb:BatchWriteItem'], [this.table.tableArn]);
    caller.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${this.connectionIndexName}`]);
  }

  /**
   * Lets a function begin rounds of broadcasts, and say how long they last. It writes keys that begin with
   * `broadcast:` alone, but the grant is for all: a condition (`dynamodb:LeadingKeys`) is nothing that the local
   * runtime evaluates (local/permissions/policy.ts), so nothing here would prove it. Callers may remove rows anyway.
   */
  allowRounds(caller: NodeFunction): void {
    caller.allow(['dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  /** Lets a function add rows and take them back, and keep what connections confirm. */
  allowAdd(caller: NodeFunction): void {
    caller.allow(['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  /** Lets a function say who watches, and what they have confirmed. */
  allowList(caller: NodeFunction): void {
    caller.allow(['dynamodb:Query', 'dynamodb:BatchGetItem'], [this.table.tableArn]);
  }
}
