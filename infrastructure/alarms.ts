import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, type IMetric, MathExpression, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';

/** What is watched, and who is told. */
export interface AlarmsProps {
  readonly email?: string;
  /** Functions that fail only when something is wrong; at most ten (a limit of CloudWatch's expressions in an alarm). */
  readonly functions: readonly NodeFunction[];
  /** Says 401 by failing, as API Gateway wants it (aws-facts 1.5): its errors are callers', not ours. */
  readonly authorize: NodeFunction;
  readonly publish: NodeFunction;
  /** What posts wait in that could not be made at once: deliveries and broadcasts. */
  readonly posts: readonly IQueue[];
  /** The queues where failures end, by what failed. */
  readonly failures: Readonly<Record<string, IQueue>>;
  /** What is watched besides, by the alarm. */
  readonly watches: Readonly<Record<string, Watch>>;
}

/** What an alarm says, and when it rings. */
export interface Watch {
  readonly metric: IMetric;
  /** Rings at this value or above. */
  readonly threshold: number;
  /** For how many of the metric's periods in a row. */
  readonly periods: number;
  /** What it means and what to do, for whoever is woken. */
  readonly description: string;
}

/** The few things that a person has to look at. */
export class Alarms extends Construct {
  private readonly action: SnsAction | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.action = props.email === undefined ? undefined : this.tell(props.email);

    for (const [what, queue] of Object.entries(props.failures)) {
      this.watch(`${what}Failed`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({
          period: Duration.minutes(1),
          statistic: 'Maximum',
        }),
        threshold: 1, // each message is something that was given up
        periods: 1,
        description: `${what}: something was given up. The queue holds what; docs/operating.md says how to send it again.`,
      });
    }
    this.watch('PublishLate', {
      metric: props.publish.function.metric('IteratorAge', {
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      threshold: 60_000, // ms: by then watchers look at what was true a minute ago
      periods: 3, // a single retried batch heals by itself
      description: 'Watchers see changes more than a minute late. Look at errors and throttles of Publish.',
    });
    this.watch('PostsRefused', {
      metric: sum(['publish', 'deliver'].map((service) => counted('PostsRefused', service))),
      threshold: 1, // never in a healthy stack: each is a missing grant or a wrong URL
      periods: 1,
      description: 'API Gateway refuses posts to connections. Watchers see nothing until it is mended.',
    });
    this.watch('BroadcastsLate', {
      metric: new MathExpression({
        expression: 'MAX(METRICS())',
        period: Duration.minutes(1),
        usingMetrics: metricsOf(
          props.posts.map((queue) =>
            queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1), statistic: 'Maximum' }),
          ),
        ),
      }),
      threshold: 120, // seconds; a message that was throttled may wait for 60 (handlers/publish/delivery-attempts.ts)
      periods: 3,
      description:
        'Watchers are told more than two minutes late. See whether API Gateway throttles; raise postsPerSecond, or the quota.',
    });
    this.watch('RangesAbandoned', {
      metric: counted('RangesAbandoned', 'deliver'),
      threshold: 1, // each is up to a thousand watchers to whom for minutes not one post was possible
      periods: 1,
      description:
        'Ranges of large audiences were given up. API Gateway throttles or is not reachable; look at the log of Deliver.',
    });
    for (const [what, watch] of Object.entries(props.watches)) this.watch(what, watch);
    this.watch('FunctionErrors', {
      metric: sumOf(
        props.functions.filter((one) => one !== props.authorize),
        (one, period) => one.metricErrors({ period }),
      ),
      threshold: 5, // a single failed invocation is retried, and rings above if it is given up
      periods: 1,
      description: 'Functions fail. Each one’s log group says why.',
    });
    this.watch('FunctionThrottles', {
      metric: sumOf(props.functions, (one, period) => one.metricThrottles({ period })),
      threshold: 1, // what is throttled is late, or refused when somebody waits for it
      periods: 3,
      description:
        'Lambda turns invocations away. Ask for more concurrent executions, or have fewer jobs processed at a time.',
    });
  }

  private watch(id: string, { metric, threshold, periods, description }: Watch): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods: periods,
      alarmDescription: description,
      treatMissingData: TreatMissingData.NOT_BREACHING, // nothing happens at night
    });
    if (this.action !== undefined) alarm.addAlarmAction(this.action);
  }

  private tell(email: string): SnsAction {
    const topic = new Topic(this, 'Topic', { displayName: 'Jobwire', enforceSSL: true });
    // `enforceSSL` makes a policy that replaces SNS's own, and SnsAction grants nothing: alarms need a grant.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'AWS:SourceAccount': Stack.of(this).account } },
      }),
    );
    topic.addSubscription(new EmailSubscription(email));
    return new SnsAction(topic);
  }
}

/** Of sums. */
export const PERIOD = Duration.minutes(5);

/** The sum of a metric of functions, at most ten of them. */
export function sumOf(
  functions: readonly NodeFunction[],
  metricOf: (one: IFunction, period: Duration) => IMetric,
): MathExpression {
  return sum(functions.map((one) => metricOf(one.function, PERIOD)));
}

/** The sum of metrics, at most ten of them (a limit of CloudWatch's expressions in an alarm). */
export function sum(metrics: readonly IMetric[]): MathExpression {
  return new MathExpression({
    expression: 'SUM(METRICS())',
    period: PERIOD,
    usingMetrics: metricsOf(metrics),
  });
}

function metricsOf(metrics: readonly IMetric[]): Record<string, IMetric> {
  return Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
}

/** A figure that the functions count (handlers/publish/); Powertools adds the dimension `service`. */
export function counted(
  metricName: 'PostsRefused' | 'RangesAbandoned' | 'BrokerRefused',
  service: string,
): IMetric {
  return new Metric({
    namespace: 'Jobwire',
    metricName,
    dimensionsMap: { service },
    statistic: 'Sum',
    period: PERIOD,
  });
}
