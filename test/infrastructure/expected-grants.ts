import { UPLOADS_BUCKET } from './synthesized-stack.ts';
import type { Combination } from './variants.ts';

const CONNECTIONS =
  'arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<SocketApi/Api>/v1/POST/@connections/*';
const UPKEEP = [
  'dynamodb:Query <Subscriptions/Table.Arn>',
  'dynamodb:Query <Subscriptions/Table.Arn>/index/by-connection',
  'dynamodb:BatchWriteItem <Subscriptions/Table.Arn>',
];
const rounds = 'dynamodb:UpdateItem <Subscriptions/Table.Arn>';
const receive = (queue: string) =>
  ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) => `sqs:${action} <${queue}.Arn>`);
const post = `execute-api:ManageConnections ${CONNECTIONS}`;
const secret = 'secretsmanager:GetSecretValue <SigningSecret/Secret>';
const send = (queue: string) => `sqs:SendMessage <${queue}.Arn>`;
const jobs = (...actions: string[]) => actions.map((action) => `dynamodb:${action} <Jobs/Table.Arn>`);

const begin = (processing: Processing) =>
  processing === 'lambda'
    ? send('Processing/Work/Queue')
    : 'states:StartExecution <Workflow/StateMachine/Machine>';
const end = (processing: Processing) =>
  processing === 'lambda'
    ? []
    : [
        'states:StopExecution arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<Workflow/StateMachine/Machine.Name>:*',
      ];

type Processing = Combination['processing'];
type Grants = Readonly<Record<string, readonly string[]>>;

/** What the functions of every deployment may do. */
const common = (processing: Processing): Grants => ({
  'HttpApi/Handler': [
    ...jobs('PutItem', 'GetItem', 'BatchGetItem', 'UpdateItem'),
    'dynamodb:Query <Jobs/Table.Arn>/index/by-owner',
    'dynamodb:Query <Subscriptions/Table.Arn>',
    'dynamodb:BatchGetItem <Subscriptions/Table.Arn>',
    's3:PutObject <Uploads/Bucket.Arn>/uploads/*', // also begins, fills and completes an upload in parts
    's3:ListMultipartUploadParts <Uploads/Bucket.Arn>/uploads/*',
    's3:AbortMultipartUpload <Uploads/Bucket.Arn>/uploads/*',
    's3:GetObject <Uploads/Bucket.Arn>/uploads/*',
    's3:ListBucket <Uploads/Bucket.Arn>',
    's3:GetObject <Results/Bucket.Arn>/results/*',
    send('Sweeping/Deadlines/Queue'),
    secret,
    ...end(processing),
  ],
  'Uploaded/ObjectCreated': [
    ...jobs('GetItem', 'UpdateItem'),
    // By name: the bucket is made after the function.
    `s3:GetObject arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}/uploads/*`,
    `s3:ListBucket arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}`,
    begin(processing),
    send('Uploaded/Failures'), // asynchronous invocation sends there with the function's role
  ],
  'Publishing/Publish': [
    ...UPKEEP,
    rounds,
    post,
    send('Publishing/Deliveries/Queue'),
    send('Publishing/Broadcasts/Queue'),
    send('Publishing/Failures'), // the event source mapping sends there with the function's role
    'dynamodb:DescribeStream <Jobs/Table.StreamArn>',
    'dynamodb:GetRecords <Jobs/Table.StreamArn>',
    'dynamodb:GetShardIterator <Jobs/Table.StreamArn>',
    'dynamodb:ListStreams *',
  ],
  'Publishing/Deliver': [
    ...jobs('GetItem', 'BatchGetItem'),
    ...UPKEEP,
    rounds,
    post,
    send('Publishing/Deliveries/Queue'),
    send('Publishing/Broadcasts/Queue'),
    ...receive('Publishing/Deliveries/Queue'),
    ...receive('Publishing/Broadcasts/Queue'),
  ],
  'SocketRoutes/Authorize': [secret],
  'SocketRoutes/Socket': [
    ...jobs('GetItem', 'BatchGetItem'),
    'dynamodb:PutItem <Subscriptions/Table.Arn>',
    'dynamodb:DeleteItem <Subscriptions/Table.Arn>',
    'dynamodb:UpdateItem <Subscriptions/Table.Arn>',
    ...UPKEEP,
    post,
    send('Publishing/Deliveries/Queue'),
  ],
  'Sweeping/Sweep': [
    ...jobs('GetItem', 'UpdateItem'),
    's3:AbortMultipartUpload <Uploads/Bucket.Arn>/uploads/*',
    begin(processing), // again, for a job that waits long
    ...end(processing),
    send('Sweeping/Deadlines/Queue'),
    ...receive('Sweeping/Deadlines/Queue'),
  ],
});

const uploads = [
  // By name: the bucket is made after all that it leads to.
  `s3:GetObject arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}/uploads/*`,
  `s3:ListBucket arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}`,
];
const result = 's3:PutObject <Results/Bucket.Arn>/results/*';

/** What of the files in the bucket. */
const files = (...actions: string[]) => [
  ...actions.map((action) => `s3:${action} <Workspace/Bucket.Arn>/*`),
  's3:ListBucket <Workspace/Bucket.Arn>',
];

/** What mounting takes. */
const mount = [
  ...['ClientMount', 'ClientWrite'].map((action) => `elasticfilesystem:${action} <Workspace/FileSystem.Arn>`),
  ...[
    'AssignPrivateIpAddresses',
    'CreateNetworkInterface',
    'DeleteNetworkInterface',
    'DescribeNetworkInterfaces',
    'DescribeSubnets',
    'UnassignPrivateIpAddresses',
  ].map((action) => `ec2:${action} *`),
];

/** What the functions of each way of processing may do. */
const OWN_GRANTS: Readonly<Record<Processing, Grants>> = {
  lambda: {
    'Processing/Process': [
      ...jobs('GetItem', 'UpdateItem'),
      's3:GetObject <Uploads/Bucket.Arn>/uploads/*',
      's3:ListBucket <Uploads/Bucket.Arn>', // without it a missing upload is 403, not 404
      's3:PutObject <Results/Bucket.Arn>/results/*',
      send('Sweeping/Deadlines/Queue'),
      ...receive('Processing/Work/Queue'),
    ],
  },
  'step-functions': {
    'Workflow/Begin': [...jobs('GetItem', 'UpdateItem'), send('Sweeping/Deadlines/Queue')],
    'Workflow/Inspect': [...jobs('GetItem', 'UpdateItem'), ...uploads, ...files('PutObject', 'DeleteObject')],
    'Workflow/Profile': [
      ...jobs('GetItem', 'UpdateItem'),
      ...uploads,
      ...files('GetObject', 'PutObject', 'DeleteObject'),
    ],
    'Workflow/Merge': [...jobs('GetItem', 'UpdateItem'), ...files('GetObject', 'DeleteObject'), result],
    'Workflow/Fail': [
      ...jobs('GetItem', 'UpdateItem'),
      ...files('DeleteObject'),
      send('Workflow/Ends/Failures'),
    ],
  },
  'step-functions-efs': {
    'Workflow/Begin': [...jobs('GetItem', 'UpdateItem'), send('Sweeping/Deadlines/Queue')],
    'Workflow/Fetch': [...jobs('GetItem', 'UpdateItem'), ...uploads, ...mount],
    'Workflow/Inspect': [...jobs('GetItem', 'UpdateItem'), ...mount],
    'Workflow/Profile': [...jobs('GetItem', 'UpdateItem'), ...mount],
    'Workflow/Merge': [...jobs('GetItem', 'UpdateItem'), ...mount, result],
    'Workflow/Fail': [...jobs('GetItem', 'UpdateItem'), ...mount, send('Workflow/Ends/Failures')],
  },
};

/** What each function may do beside writing to its own log group: an action and a resource a line. */
export function expectedGrants(processing: Processing): Grants {
  return { ...common(processing), ...OWN_GRANTS[processing] };
}
