import { setTimeout } from 'node:timers/promises';
import {
  createDynamoDbClient,
  createS3Client,
  createSecretsManagerClient,
  createSqsClient,
  sfnClientAtFirstUse,
} from '../aws/clients.ts';
import { JobsTable } from '../aws/jobs-table.ts';
import { ResultsBucket } from '../aws/results-bucket.ts';
import { SecretTokens } from '../aws/secret-tokens.ts';
import { SqsQueue } from '../aws/sqs-queue.ts';
import { SubscriptionsTable } from '../aws/subscriptions-table.ts';
import { createLog } from '../aws/telemetry.ts';
import { UploadsBucket } from '../aws/uploads-bucket.ts';
import { WorkflowExecutions } from '../aws/workflow-executions.ts';
import { readEnvironment, readIfSet } from '../environment.ts';
import type { Now } from '../ports.ts';
import type { Deadline } from '../queue-messages.ts';
import { createApi } from './api.ts';
import { answerEvents } from './lambda-event.ts';

const environment = readEnvironment([
  'jobsTable',
  'jobsByOwnerIndex',
  'subscriptionsTable',
  'uploadsBucket',
  'resultsBucket',
  'deadlinesQueueUrl',
  'stateMachineArn',
  'signingSecretArn',
  'socketUrl',
  'auth',
]);
const broker = readIfSet(['broadcastUrl', 'broadcastAuthorizer']);
const now: Now = () => new Date();
const dynamoDb = createDynamoDbClient();
const s3 = createS3Client();

/** Answers every route of the HTTP API, where a workflow works on jobs. */
export const handler = answerEvents(
  createApi({
    jobs: new JobsTable({
      client: dynamoDb,
      tableName: environment.jobsTable,
      ownerIndexName: environment.jobsByOwnerIndex,
    }),
    subscriptions: new SubscriptionsTable({ client: dynamoDb, tableName: environment.subscriptionsTable }),
    uploads: new UploadsBucket({ client: s3, bucketName: environment.uploadsBucket }),
    results: new ResultsBucket({ client: s3, bucketName: environment.resultsBucket }),
    tokens: new SecretTokens({
      client: createSecretsManagerClient(),
      secretArn: environment.signingSecretArn,
      now,
    }),
    deadlines: new SqsQueue<Deadline>({ client: createSqsClient(), queueUrl: environment.deadlinesQueueUrl }),
    executions: new WorkflowExecutions({
      client: sfnClientAtFirstUse(),
      stateMachineArn: environment.stateMachineArn,
    }),
    // Only the one word opens the API; a value that nobody knows must not.
    auth: environment.auth === 'open' ? 'open' : 'authorizer',
    socketUrl: environment.socketUrl,
    ...(broker === undefined
      ? {}
      : { broadcast: { url: broker.broadcastUrl, authorizer: broker.broadcastAuthorizer } }),
    now,
    pause: (milliseconds) => setTimeout(milliseconds),
    log: createLog('api'),
  }),
);
