import { Duration, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnAuthorizer } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { counted, sum, sumOf, type Watch } from './alarms.ts';
import { NodeFunction } from './node-function.ts';
import { DELIVER_TIMEOUT, type Publishing } from './publishing.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { BroadcastSetting } from './settings.ts';
import type { SigningSecret } from './signing-secret.ts';

/** What broadcasting depends on. */
export interface BroadcastProps {
  readonly bundle: string;
  readonly setting: BroadcastSetting & { readonly by: 'iot-core' };
  readonly signingSecret: SigningSecret;
}

/** The topics of all jobs (protocol/broadcast.ts), which only IAM names by a wildcard. */
const TOPICS = 'jobwire/jobs/*';

/**
 * `broadcast=iot-core`: states are published to AWS IoT Core as well, once however many watch. The broker is the
 * account's own and needs no resource; what is made here is who may subscribe.
 */
export class Broadcast extends Construct {
  readonly authorize: NodeFunction;
  /** States that are still to be retained. Not among deliveries, so that no frame waits for a broker that hangs. */
  readonly retained: QueueWithDeadLetters;
  /** What is to be watched beside what every deployment watches. */
  readonly watches: Readonly<Record<string, Watch>>;
  private readonly setting: BroadcastProps['setting'];
  private readonly authorizerName: string;

  constructor(scope: Construct, id: string, props: BroadcastProps) {
    super(scope, id);
    this.setting = props.setting;
    this.authorize = new NodeFunction(this, 'Authorize', {
      bundle: props.bundle,
      description: 'Verifies the ticket of a connect to the broker',
      memory: 512,
      // IoT Core waits no longer (AWS IoT Developer Guide, "Creating and managing custom authorizers").
      timeout: Duration.seconds(5),
      variables: { signingSecretArn: props.signingSecret.arn },
    });
    props.signingSecret.allowRead(this.authorize);
    const authorizer = new CfnAuthorizer(this, 'Authorizer', {
      authorizerFunctionArn: this.authorize.function.functionArn,
      status: 'ACTIVE',
      // A ticket carries its own signature, and browsers could not keep a key to sign it with.
      signingDisabled: true,
    });
    this.authorizerName = authorizer.ref;
    this.authorize.function.addPermission('Broker', {
      principal: new ServicePrincipal('iot.amazonaws.com'),
      sourceArn: authorizer.attrArn,
    });
    this.retained = new QueueWithDeadLetters(this, 'Retained', {
      consumerTimeout: DELIVER_TIMEOUT,
      receives: 5, // for crashes and refusals only: what the broker does not take now goes back as a new message
      retention: Duration.days(14), // the most: nothing else makes up for a state that is not retained
    });
    this.watches = {
      BrokerRefused: {
        metric: sum(['publish', 'deliver'].map((service) => counted('BrokerRefused', service))),
        threshold: 1, // never in a healthy stack: each is a missing grant, or a wrong iotEndpoint
        periods: 1,
        description: 'IoT Core refuses states. Who watches by MQTT sees nothing until it is mended.',
      },
      BrokerAuthorizeFailed: {
        metric: sumOf([this.authorize], (one, period) => one.metricErrors({ period })),
        threshold: 5, // a bad ticket is no error; but nothing tries a failed connect again than the client
        periods: 1,
        description: 'Connects to the broker cannot be decided. The log group of Authorize says why.',
      },
    };
  }

  /** Has states published by the functions that post them, each by its part. */
  publishBy({ publish, deliver }: Publishing): void {
    for (const publisher of [publish, deliver]) {
      this.allowPublish(publisher);
      this.retained.allowSend(publisher);
      publisher.tell({ retainedQueueUrl: this.retained.queue.queueUrl });
    }
    // As few as there can be: most are late because IoT Core throttles, or does not answer.
    deliver.consume(this.retained.queue, { size: 10, maxConcurrency: 2 }, 'Retained');
  }

  /** Lets a function publish states, retained and not. */
  private allowPublish(publisher: NodeFunction): void {
    const topics = Stack.of(this).formatArn({ service: 'iot', resource: 'topic', resourceName: TOPICS });
    publisher.allow(['iot:Publish', 'iot:RetainPublish'], [topics]);
    publisher.acknowledgeWildcard(topics, 'The topics are those of jobs that do not exist yet.');
    publisher.tell({ iotEndpoint: this.setting.publishUrl });
  }

  /** Has a function say in its tickets where states are broadcast. */
  announceBy(api: NodeFunction): void {
    api.tell({ broadcastUrl: this.setting.watchUrl, broadcastAuthorizer: this.authorizerName });
  }

  /** What a page's scripts must be allowed to connect to. */
  get connectSource(): string {
    return new URL(this.setting.watchUrl).origin;
  }
}
