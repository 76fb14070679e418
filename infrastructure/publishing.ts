import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FailureQueue } from './failure-queue.ts';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { Settings } from './settings.ts';
import type { SocketApi } from './socket-api.ts';
import type { SubscriptionsTable } from './subscriptions-table.ts';

/** What publishing depends on. */
export interface PublishingProps extends Pick<Settings, 'postsPerSecond'> {
  readonly bundles: { readonly publish: string; readonly deliver: string };
  readonly jobs: JobsTable;
  readonly subscriptions: SubscriptionsTable;
  readonly socketApi: SocketApi;
  /** Whether `publish` hears of jobs that were deleted, too; nobody who watches by WebSocket has to be told. */
  readonly removals: boolean;
}

/** An API Gateway connection ends after two hours (aws-facts 1.8): what is older has nobody to be told to. */
const CONNECTION_LIFE = Duration.hours(2);

/** Ten posts, or a thousand at a sixteenth of the pace (handlers/publish/post-pace.ts), and ten seconds to hand on. */
export const DELIVER_TIMEOUT = Duration.seconds(30);

/** What one execution environment of 512 MB posts in a second with time to spare: a third of its processor. */
const POSTS_PER_ENVIRONMENT = 1_000;

/** The fewest and the most that a maximum concurrency can be (SQS event source mappings, "MaximumConcurrency"). */
const CONCURRENCY_BOUNDS = { fewest: 2, most: 1_000 };

/** Tells watchers of every committed change; what cannot be posted at once is delivered later. */
export class Publishing extends Construct {
  readonly publish: NodeFunction;
  readonly deliver: NodeFunction;
  readonly deliveries: QueueWithDeadLetters;
  readonly broadcasts: QueueWithDeadLetters;
  /** Batches of stream records that were given up. */
  readonly failures: FailureQueue;

  constructor(scope: Construct, id: string, props: PublishingProps) {
    super(scope, id);
    this.deliveries = new QueueWithDeadLetters(this, 'Deliveries', {
      consumerTimeout: DELIVER_TIMEOUT,
      receives: 5, // for crashes only: a post that is refused goes back as a new message with a longer delay
      retention: CONNECTION_LIFE,
    });
    this.broadcasts = new QueueWithDeadLetters(this, 'Broadcasts', {
      consumerTimeout: DELIVER_TIMEOUT,
      // For crashes only, and then a thousand people wait: what meets a passing error goes back as a new message.
      visibilityTimeout: Duration.seconds(2 * DELIVER_TIMEOUT.toSeconds()),
      receives: 10, // as long as five at three times the time-out: Lambda may be throttled for some minutes
      retention: CONNECTION_LIFE,
    });
    this.failures = new FailureQueue(this, 'Failures');
    this.publish = new NodeFunction(this, 'Publish', {
      bundle: props.bundles.publish,
      description: 'Tells watchers of changed jobs',
      memory: 1024, // many TLS connections at once; latency is what everybody sees
      timeout: Duration.seconds(60), // a hundred jobs with many watchers each, while API Gateway throttles
      variables: {
        subscriptionsTable: props.subscriptions.table.tableName,
        subscriptionsByConnectionIndex: props.subscriptions.connectionIndexName,
        deliveriesQueueUrl: this.deliveries.queue.queueUrl,
        broadcastsQueueUrl: this.broadcasts.queue.queueUrl,
        socketUrl: props.socketApi.url,
      },
    });
    props.subscriptions.allowUpkeep(this.publish);
    props.subscriptions.allowRounds(this.publish);
    this.deliveries.allowSend(this.publish);
    this.broadcasts.allowSend(this.publish);
    props.socketApi.allowPost(this.publish);
    this.followStream(props.jobs, props.removals);

    const broadcastConcurrency = concurrencyFor(props.postsPerSecond);
    this.deliver = new NodeFunction(this, 'Deliver', {
      bundle: props.bundles.deliver,
      description: 'Tells large audiences, and watchers what could not be told at once',
      memory: 512,
      timeout: DELIVER_TIMEOUT,
      variables: {
        jobsTable: props.jobs.table.tableName,
        subscriptionsTable: props.subscriptions.table.tableName,
        subscriptionsByConnectionIndex: props.subscriptions.connectionIndexName,
        deliveriesQueueUrl: this.deliveries.queue.queueUrl,
        broadcastsQueueUrl: this.broadcasts.queue.queueUrl,
        postsPerSecond: String(props.postsPerSecond),
        broadcastConcurrency: String(broadcastConcurrency),
        socketUrl: props.socketApi.url,
      },
    });
    props.jobs.allow(this.deliver, ['GetItem', 'BatchGetItem']);
    props.subscriptions.allowUpkeep(this.deliver);
    props.subscriptions.allowRounds(this.deliver);
    this.deliveries.allowSend(this.deliver);
    this.broadcasts.allowSend(this.deliver);
    props.socketApi.allowPost(this.deliver);
    // Few at a time: most deliveries are late because API Gateway throttles, and more callers would not help.
    this.deliver.consume(this.deliveries.queue, { size: 10, maxConcurrency: 5 });
    // One at a time, so that the function's pace is that of one range, and no range waits for another's.
    this.deliver.consume(
      this.broadcasts.queue,
      { size: 1, maxConcurrency: broadcastConcurrency },
      'Broadcasts',
    );
  }

  private followStream(jobs: JobsTable, removals: boolean): void {
    const stream = jobs.table.tableStreamArn;
    if (stream === undefined) throw new TypeError('The jobs table has no stream'); // jobs-table.ts asks for one
    this.publish.allow(
      ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      [stream],
    );
    this.publish.allow(['dynamodb:ListStreams'], ['*']);
    this.publish.acknowledgeWildcard(
      '*',
      'dynamodb:ListStreams, which the event source mapping calls, takes no resource.',
    );
    this.publish.allow(['sqs:SendMessage'], [this.failures.queueArn]);
    new EventSourceMapping(this, 'Changes', {
      target: this.publish.function,
      eventSourceArn: stream,
      // LATEST may miss what is written while the mapping is being made or changed (aws-facts 3.3).
      startingPosition: StartingPosition.TRIM_HORIZON,
      // Job states only: a removed item (TTL) has no new image, and an item without `seq` is none of ours.
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.or('INSERT', 'MODIFY'),
          dynamodb: { NewImage: { seq: { N: FilterRule.exists() } } },
        }),
        ...(removals
          ? [
              FilterCriteria.filter({
                eventName: FilterRule.isEqual('REMOVE'),
                dynamodb: { OldImage: { seq: { N: FilterRule.exists() } } },
              }),
            ]
          : []),
      ],
      batchSize: 100, // of many states of a job in a batch only the newest is sent, so larger batches are less work
      maxBatchingWindow: Duration.seconds(0), // people watch: nothing waits for company
      parallelizationFactor: 10, // the most there is; a job's changes stay in order (aws-facts 3.3)
      bisectBatchOnError: true, // one record that crashes the function takes no other with it
      reportBatchItemFailures: true,
      // Some minutes of an outage of DynamoDB or SQS: each attempt takes its seconds, and Lambda backs off. Not
      // without end, because a record that crashes the function holds up its shard for as long; splitting does not
      // count (aws-facts 3.3). A watcher's next ping repairs what is given up.
      retryAttempts: 50,
      maxRecordAge: CONNECTION_LIFE,
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) }, // the grant is above
    });
  }
}

/** How many execution environments share the posts to large audiences. */
function concurrencyFor(postsPerSecond: number): number {
  const { fewest, most } = CONCURRENCY_BOUNDS;
  return Math.min(most, Math.max(fewest, Math.ceil(postsPerSecond / POSTS_PER_ENVIRONMENT)));
}
