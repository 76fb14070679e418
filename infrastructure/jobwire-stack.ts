import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { Broadcast } from './broadcast.ts';
import { bundleOf, type FunctionBundles, type PageBundle } from './bundles.ts';
import { HttpApi } from './http-api.ts';
import { JobsTable } from './jobs-table.ts';
import { ObjectCreated } from './object-created.ts';
import { Page } from './page.ts';
import { PageContent } from './page-content.ts';
import { Processing, type ProcessingProps } from './processing.ts';
import { Publishing } from './publishing.ts';
import { Results } from './results.ts';
import type { ProcessingSetting, Settings } from './settings.ts';
import { SigningSecret } from './signing-secret.ts';
import { SocketApi } from './socket-api.ts';
import { SocketRoutes } from './socket-routes.ts';
import { SocketStage } from './socket-stage.ts';
import { SubscriptionsTable } from './subscriptions-table.ts';
import { Sweeping } from './sweeping.ts';
import { Uploads } from './uploads.ts';
import type { WayOfProcessing } from './way-of-processing.ts';
import { Workflow } from './workflow.ts';
import { WorkspaceBucket } from './workspace-bucket.ts';
import { WorkspaceFileSystem } from './workspace-file-system.ts';

/** What the stack is made of. */
export interface JobwireStackProps {
  readonly settings: Settings;
  readonly functions: FunctionBundles;
  readonly page: PageBundle;
}

/** Everything, in the order in which a job flows; what others need comes before them. */
export class JobwireStack extends Stack {
  constructor(scope: Construct, id: string, props: JobwireStackProps) {
    super(scope, id, { description: 'Jobwire: live job status' });
    const { settings, functions } = props;

    const page = new Page(this, 'Page');
    // `*` stands alone: it holds the page's own.
    const origins = settings.origins.includes('*') ? settings.origins : [page.origin, ...settings.origins];
    const signingSecret = new SigningSecret(this, 'SigningSecret');
    const jobs = new JobsTable(this, 'Jobs', { data: settings.data });
    const subscriptions = new SubscriptionsTable(this, 'Subscriptions');
    const uploads = new Uploads(this, 'Uploads', { data: settings.data, origins });
    const results = new Results(this, 'Results', { data: settings.data, origins });
    const socketApi = new SocketApi(this, 'SocketApi');

    const sweeping = new Sweeping(this, 'Sweeping', { bundle: functions.sweep, jobs, uploads });
    const { deadlines } = sweeping;
    const httpApi = new HttpApi(this, 'HttpApi', {
      bundle: functions.api,
      auth: settings.auth,
      origins,
      jobs,
      subscriptions,
      uploads,
      results,
      deadlines,
      signingSecret,
      socketUrl: socketApi.url,
    });
    const { rangeMegabytes } = settings;
    const parts = { bundles: functions, jobs, uploads, results, deadlines, rangeMegabytes };
    const processing = processBy(this, settings.processing, parts);
    sweeping.allowWork(processing);
    processing.allowStop(httpApi.handler);
    const uploaded = new ObjectCreated(this, 'Uploaded', {
      bundle: functions.objectCreated,
      uploadEvents: settings.uploadEvents,
      jobs,
      uploads,
      processing,
    });
    const publishing = new Publishing(this, 'Publishing', {
      bundles: functions,
      postsPerSecond: settings.postsPerSecond,
      jobs,
      subscriptions,
      socketApi,
      removals: settings.broadcast.by !== 'none',
    });
    const { deliveries, broadcasts } = publishing;
    const routes = new SocketRoutes(this, 'SocketRoutes', {
      bundles: functions,
      api: socketApi,
      jobs,
      subscriptions,
      deliveries,
      signingSecret,
    });
    const broadcast =
      settings.broadcast.by === 'none'
        ? undefined
        : new Broadcast(this, 'Broadcast', {
            bundle: bundleOf(functions, 'authorizeBroadcast'),
            setting: settings.broadcast,
            signingSecret,
          });
    broadcast?.publishBy(publishing);
    broadcast?.announceBy(httpApi.handler);
    new SocketStage(this, 'SocketStage', { api: socketApi, routes });
    new PageContent(this, 'PageContent', {
      bundle: props.page,
      page,
      apiUrl: httpApi.url,
      connectSources: [
        httpApi.url,
        socketApi.api.attrApiEndpoint,
        `https://${uploads.bucket.bucketRegionalDomainName}`,
        `https://${results.bucket.bucketRegionalDomainName}`,
        ...(broadcast === undefined ? [] : [broadcast.connectSource]),
      ],
    });
    new Alarms(this, 'Alarms', {
      ...(settings.alarmEmail === undefined ? {} : { email: settings.alarmEmail }),
      functions: [
        httpApi.handler,
        uploaded.objectCreated,
        ...processing.functions,
        publishing.publish,
        publishing.deliver,
        routes.authorize,
        routes.socket,
        sweeping.sweep,
      ],
      authorize: routes.authorize,
      publish: publishing.publish,
      posts: [deliveries.queue, broadcasts.queue],
      failures: {
        Uploads: uploaded.failures,
        ...processing.failures,
        Publish: publishing.failures,
        Deliveries: deliveries.deadLetters,
        Broadcasts: broadcasts.deadLetters,
        ...(broadcast === undefined ? {} : { Retained: broadcast.retained.deadLetters }),
        Deadlines: deadlines.deadLetters,
      },
      watches: { ...processing.watches, ...broadcast?.watches },
    });

    new CfnOutput(this, 'dashboard', { description: 'The page', value: page.origin });
    new CfnOutput(this, 'api', { description: 'The HTTP API', value: httpApi.url });
    new CfnOutput(this, 'socket', { description: 'The WebSocket API', value: socketApi.url });
  }
}

/** Makes the one way of processing that is asked for, with what only that one has. */
function processBy(
  scope: Construct,
  setting: ProcessingSetting,
  parts: Omit<ProcessingProps, 'concurrentJobs'>,
): WayOfProcessing {
  if (setting.by === 'lambda') {
    return new Processing(scope, 'Processing', { ...parts, concurrentJobs: setting.concurrentJobs });
  }
  const workspace =
    setting.by === 'step-functions'
      ? new WorkspaceBucket(scope, 'Workspace')
      : new WorkspaceFileSystem(scope, 'Workspace', parts);
  const { concurrentRanges } = setting;
  return new Workflow(scope, 'Workflow', { ...parts, workspace, concurrentRanges });
}
