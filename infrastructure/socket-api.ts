import { Aws, Stack } from 'aws-cdk-lib';
import { CfnApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';

/** The WebSocket API without its routes, so that whoever posts to connections can be made before them. */
export class SocketApi extends Construct {
  readonly api: CfnApi;
  /** The one stage. */
  readonly stageName = 'v1';
  /** `wss://…/v1`. */
  readonly url: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.api = new CfnApi(this, 'Api', {
      name: 'Jobwire socket',
      protocolType: 'WEBSOCKET',
      routeSelectionExpression: '$request.body.type',
    });
    this.url = `${this.api.attrApiEndpoint}/${this.stageName}`;
  }

  /** The ARN of what the API lets somebody do, e.g. `v1/$connect`. */
  arn(path: string): string {
    return Stack.of(this).formatArn({ service: 'execute-api', resource: this.api.ref, resourceName: path });
  }

  /** Lets a function send frames to connections; not close them, nor look at them. */
  allowPost(poster: NodeFunction): void {
    const connections = this.arn(`${this.stageName}/POST/@connections/*`);
    poster.allow(['execute-api:ManageConnections'], [connections]);
    poster.acknowledgeWildcard(connections, 'The connections are those that viewers will open.');
  }

  /** What an integration or authorizer names instead of a function. */
  invocationOf(target: NodeFunction): string {
    return `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:path/2015-03-31/functions/${target.function.functionArn}/invocations`;
  }
}
