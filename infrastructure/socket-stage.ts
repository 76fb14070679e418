import { CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { Construct } from 'constructs';
import { AccessLog } from './access-log.ts';
import { ApiGatewayLogRole } from './api-gateway-log-role.ts';
import type { SocketApi } from './socket-api.ts';
import type { SocketRoutes } from './socket-routes.ts';

/** What the stage depends on. */
export interface SocketStageProps {
  readonly api: SocketApi;
  readonly routes: SocketRoutes;
}

/** The stage that makes the WebSocket API reachable. */
export class SocketStage extends Construct {
  constructor(scope: Construct, id: string, props: SocketStageProps) {
    super(scope, id);
    const stage = new CfnStage(this, 'Stage', {
      apiId: props.api.api.ref,
      stageName: props.api.stageName,
      autoDeploy: true, // a route that is not deployed is answered Forbidden (aws-facts 1.3)
      // The account admits 500 connects a second, and 10,000 requests and posts together (aws-facts 1.8): a
      // fifth is left to clients' frames, the rest to what they are told.
      defaultRouteSettings: { throttlingRateLimit: 2000, throttlingBurstLimit: 1000 },
      accessLogSettings: new AccessLog(this, 'AccessLog', {
        time: '$context.requestTime',
        requestId: '$context.extendedRequestId',
        ip: '$context.identity.sourceIp',
        event: '$context.eventType',
        route: '$context.routeKey',
        connection: '$context.connectionId',
        status: '$context.status',
        error: '$context.error.message',
      }).settings,
    });
    stage.node.addDependency(props.routes); // an API without a route cannot be deployed
    stage.node.addDependency(new ApiGatewayLogRole(this, 'LogRole'));
  }
}
