import { Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import { CfnApi, CfnIntegration, CfnRoute, CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { AccessLog } from './access-log.ts';
import type { JobsTable } from './jobs-table.ts';
import { NodeFunction } from './node-function.ts';
import type { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { Results } from './results.ts';
import type { Settings } from './settings.ts';
import type { SigningSecret } from './signing-secret.ts';
import type { SubscriptionsTable } from './subscriptions-table.ts';
import type { Uploads } from './uploads.ts';

/** What the HTTP API depends on. */
export interface HttpApiProps extends Pick<Settings, 'auth'> {
  readonly bundle: string;
  /** Whose scripts may call, `https://…`; `*` is everybody's. */
  readonly origins: readonly string[];
  readonly jobs: JobsTable;
  readonly subscriptions: SubscriptionsTable;
  readonly uploads: Uploads;
  readonly results: Results;
  readonly deadlines: QueueWithDeadLetters;
  readonly signingSecret: SigningSecret;
  readonly socketUrl: string;
}

/** Every call of docs/protocol.md: what is not here is answered 404 without waking the function. */
const ROUTES = {
  CreateJob: 'POST /jobs',
  ListJobs: 'GET /jobs',
  GetJob: 'GET /jobs/{id}',
  CreateJobTicket: 'POST /jobs/{id}/tickets',
  CreateTicket: 'POST /tickets',
  CancelJob: 'POST /jobs/{id}/cancel',
  ReadUpload: 'GET /jobs/{id}/upload',
  ReportUpload: 'POST /jobs/{id}/upload/progress',
  CompleteUpload: 'POST /jobs/{id}/upload/complete',
  GetResult: 'GET /jobs/{id}/result',
  ListWatchers: 'GET /jobs/{id}/watchers',
} as const;

/** The HTTP API. */
export class HttpApi extends Construct {
  /** `https://…`, without a path. */
  readonly url: string;
  readonly handler: NodeFunction;

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    this.handler = new NodeFunction(this, 'Handler', {
      bundle: props.bundle,
      description: 'Answers the HTTP API',
      memory: 512,
      timeout: Duration.seconds(29), // more than the 20 s of `Prefer: wait`, less than the API's 30 s (aws-facts 6)
      variables: {
        jobsTable: props.jobs.table.tableName,
        jobsByOwnerIndex: props.jobs.ownerIndexName,
        subscriptionsTable: props.subscriptions.table.tableName,
        uploadsBucket: props.uploads.bucket.bucketName,
        resultsBucket: props.results.bucket.bucketName,
        deadlinesQueueUrl: props.deadlines.queue.queueUrl,
        signingSecretArn: props.signingSecret.arn,
        socketUrl: props.socketUrl,
        auth: props.auth,
      },
    });
    props.jobs.allow(this.handler, ['PutItem', 'GetItem', 'UpdateItem']);
    props.jobs.allowList(this.handler);
    props.subscriptions.allowList(this.handler);
    props.uploads.allowWrite(this.handler);
    props.uploads.allowListParts(this.handler);
    props.uploads.allowAbort(this.handler);
    // An upload in parts that was completed before is known by its object alone.
    props.uploads.allowRead(this.handler);
    props.uploads.allowDiscovery(this.handler);
    props.results.allowRead(this.handler);
    props.deadlines.allowSend(this.handler);
    props.signingSecret.allowRead(this.handler);

    const api = new CfnApi(this, 'Api', {
      name: 'Jobwire',
      protocolType: 'HTTP',
      corsConfiguration: {
        allowOrigins: [...props.origins],
        allowMethods: ['GET', 'POST'],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-none-match', 'prefer'],
        exposeHeaders: ['etag', 'location', 'preference-applied', 'retry-after'],
        maxAge: 3600, // seconds
      },
    });
    this.url = api.attrApiEndpoint;
    this.route(api);
    new CfnStage(this, 'Stage', {
      apiId: api.ref,
      stageName: '$default',
      autoDeploy: true,
      // A hundredth of the account's rate (aws-facts 1.8), so that callers of this API cannot use up what
      // posting to connections needs; the burst lets a page open and list at once.
      defaultRouteSettings: { throttlingRateLimit: 100, throttlingBurstLimit: 200 },
      accessLogSettings: new AccessLog(this, 'AccessLog', {
        time: '$context.requestTime',
        requestId: '$context.requestId',
        ip: '$context.identity.sourceIp',
        route: '$context.routeKey',
        path: '$context.path', // without the query string
        status: '$context.status',
        milliseconds: '$context.responseLatency',
        error: '$context.integrationErrorMessage',
      }).settings,
    });
  }

  private route(api: CfnApi): void {
    this.handler.function.addPermission('Api', {
      principal: new ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn: Stack.of(this).formatArn({ service: 'execute-api', resource: api.ref, resourceName: '*/*' }),
    });
    const integration = new CfnIntegration(this, 'Integration', {
      apiId: api.ref,
      integrationType: 'AWS_PROXY',
      integrationUri: `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:path/2015-03-31/functions/${this.handler.function.functionArn}/invocations`,
      payloadFormatVersion: '2.0',
    });
    for (const [id, routeKey] of Object.entries(ROUTES)) {
      const route = new CfnRoute(this, id, {
        apiId: api.ref,
        routeKey,
        target: `integrations/${integration.ref}`,
      });
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'With auth=open everybody may call, which whoever deploys has asked for by name; job tokens are verified by the function, because they stand beside a caller.',
      });
    }
  }
}
