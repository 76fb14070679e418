import { Duration, Validations } from 'aws-cdk-lib';
import { CfnAuthorizer, CfnIntegration, CfnRoute, CfnRouteResponse } from 'aws-cdk-lib/aws-apigatewayv2';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import type { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { SigningSecret } from './signing-secret.ts';
import type { SocketApi } from './socket-api.ts';
import type { SubscriptionsTable } from './subscriptions-table.ts';

/** What the routes depend on. */
export interface SocketRoutesProps {
  readonly bundles: { readonly authorize: string; readonly socket: string };
  readonly api: SocketApi;
  readonly jobs: JobsTable;
  readonly subscriptions: SubscriptionsTable;
  readonly deliveries: QueueWithDeadLetters;
  readonly signingSecret: SigningSecret;
}

/**
 * The frames that a client may send, by `type`, and `$default` for what is none of them. All are two-way: the
 * function's answer is the next frame.
 */
const FRAMES = ['subscribe', 'unsubscribe', 'ping', '$default'] as const;

/** Who may connect, and what happens with a client's frames. */
export class SocketRoutes extends Construct {
  readonly authorize: NodeFunction;
  readonly socket: NodeFunction;

  constructor(scope: Construct, id: string, props: SocketRoutesProps) {
    super(scope, id);
    this.authorize = new NodeFunction(this, 'Authorize', {
      bundle: props.bundles.authorize,
      description: 'Verifies the ticket of a connect',
      memory: 512,
      timeout: Duration.seconds(10), // a viewer waits; one read of the secret, then arithmetic
      variables: { signingSecretArn: props.signingSecret.arn },
    });
    props.signingSecret.allowRead(this.authorize);

    this.socket = new NodeFunction(this, 'Socket', {
      bundle: props.bundles.socket,
      description: 'Answers the frames of clients',
      memory: 512,
      timeout: Duration.seconds(28), // must be shorter than the API's 29 s (aws-facts 1.8), so that it is the function that says so
      variables: {
        jobsTable: props.jobs.table.tableName,
        subscriptionsTable: props.subscriptions.table.tableName,
        subscriptionsByConnectionIndex: props.subscriptions.connectionIndexName,
        deliveriesQueueUrl: props.deliveries.queue.queueUrl,
        socketUrl: props.api.url,
      },
    });
    props.jobs.allow(this.socket, ['GetItem', 'BatchGetItem']);
    props.subscriptions.allowAdd(this.socket);
    props.subscriptions.allowUpkeep(this.socket);
    props.deliveries.allowSend(this.socket);
    props.api.allowPost(this.socket);

    this.route(props.api);
  }

  private route(api: SocketApi): void {
    const invoker = new ServicePrincipal('apigateway.amazonaws.com');
    const authorizer = new CfnAuthorizer(this, 'Authorizer', {
      apiId: api.api.ref,
      name: 'ticket',
      authorizerType: 'REQUEST',
      authorizerUri: api.invocationOf(this.authorize),
      // No identity source: the ticket comes in one of two places, and API Gateway would want both (aws-facts 1.6).
    });
    this.authorize.function.addPermission('Api', {
      principal: invoker,
      sourceArn: api.arn(`authorizers/${authorizer.ref}`),
    });
    this.socket.function.addPermission('Api', {
      principal: invoker,
      sourceArn: api.arn(`${api.stageName}/*`),
    });
    const integration = new CfnIntegration(this, 'Integration', {
      apiId: api.api.ref,
      integrationType: 'AWS_PROXY',
      integrationUri: api.invocationOf(this.socket),
    });
    const target = `integrations/${integration.ref}`;

    new CfnRoute(this, 'Connect', {
      apiId: api.api.ref,
      routeKey: '$connect',
      authorizationType: 'CUSTOM',
      authorizerId: authorizer.ref,
      target,
    });
    const disconnect = new CfnRoute(this, 'Disconnect', {
      apiId: api.api.ref,
      routeKey: '$disconnect',
      target,
    });
    acknowledgeNoAuthorizer(disconnect);
    for (const frame of FRAMES) {
      const id = frame === '$default' ? 'Default' : frame[0]?.toUpperCase() + frame.slice(1);
      const route = new CfnRoute(this, id, {
        apiId: api.api.ref,
        routeKey: frame,
        routeResponseSelectionExpression: '$default',
        target,
      });
      acknowledgeNoAuthorizer(route);
      new CfnRouteResponse(this, `${id}Response`, {
        apiId: api.api.ref,
        routeId: route.ref,
        routeResponseKey: '$default', // the only one there is (aws-facts 1.4)
      });
    }
  }
}

function acknowledgeNoAuthorizer(route: CfnRoute): void {
  Validations.of(route).acknowledge({
    id: 'AwsSolutions-APIG4',
    reason:
      'A WebSocket API authorizes $connect alone, and what it finds holds for the connection (aws-facts 1.6).',
  });
}
