import { describe, expect, it } from 'vitest';
import { SynthesizedStack, UPLOADS_BUCKET } from './synthesized-stack.ts';

const stack = new SynthesizedStack();

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

/** What each function may do beside writing to its own log group: an action and a resource a line. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
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
  ],
  'Uploaded/ObjectCreated': [
    ...jobs('GetItem', 'UpdateItem'),
    // By name: the bucket is made after the function.
    `s3:GetObject arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}/uploads/*`,
    `s3:ListBucket arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}`,
    send('Processing/Work/Queue'),
    send('Uploaded/Failures'), // asynchronous invocation sends there with the function's role
  ],
  'Processing/Process': [
    ...jobs('GetItem', 'UpdateItem'),
    's3:GetObject <Uploads/Bucket.Arn>/uploads/*',
    's3:ListBucket <Uploads/Bucket.Arn>', // without it a missing upload is 403, not 404
    's3:PutObject <Results/Bucket.Arn>/results/*',
    send('Sweeping/Deadlines/Queue'),
    ...receive('Processing/Work/Queue'),
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
    send('Processing/Work/Queue'), // again, for a job that waits long
    send('Sweeping/Deadlines/Queue'),
    ...receive('Sweeping/Deadlines/Queue'),
  ],
};

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** Every (action, resource) of the policies of a role, sorted. */
function grantsOf(role: string): string[] {
  const statements = Object.values(stack.ofType('AWS::IAM::Policy'))
    .filter((policy) => JSON.stringify(stack.readable(policy.Properties['Roles'])) === `["<${role}>"]`)
    .flatMap((policy) => (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);
  const grants = statements.flatMap((statement) => {
    // The local runtime evaluates exactly these three members.
    expect(Object.keys(statement).sort()).toEqual(['Action', 'Effect', 'Resource']);
    expect(statement.Effect).toBe('Allow');
    const resources = [statement.Resource].flat().map((resource) => stack.readable(resource));
    return [statement.Action]
      .flat()
      .flatMap((action) => resources.map((resource) => `${action} ${resource}`));
  });
  return grants.sort();
}

describe('permissions', () => {
  it.each(Object.entries(TABLE))('%s may do what it needs and nothing else', (name, grants) => {
    const log = [`logs:CreateLogStream <${name}/Log.Arn>`, `logs:PutLogEvents <${name}/Log.Arn>`];
    expect(grantsOf(`${name}/Role`)).toEqual([...grants, ...log].sort());
  });

  it('leaves no function of ours out of the table', () => {
    const functions = Object.keys(stack.ofType('AWS::Lambda::Function'))
      .filter((path) => !path.startsWith('Custom::'))
      .map((path) => path.replace(/\/Function$/, ''));
    expect(functions.sort()).toEqual(Object.keys(TABLE).sort());
  });

  it('gives no role a managed policy, and lets only the service that needs it assume it', () => {
    const roles = Object.entries(stack.ofType('AWS::IAM::Role'));
    expect(roles).toHaveLength(Object.keys(TABLE).length + 2);
    for (const [path, { Properties }] of roles) {
      expect(Properties['ManagedPolicyArns'], path).toBeUndefined();
      const service = path === 'SocketStage/LogRole/Role' ? 'apigateway' : 'lambda';
      expect(JSON.stringify(Properties['AssumeRolePolicyDocument']), path).toContain(
        `"${service}.amazonaws.com"`,
      );
    }
  });

  it('lets each function be invoked by the one resource that invokes it', () => {
    const invokers = Object.values(stack.ofType('AWS::Lambda::Permission')).map(({ Properties }) => [
      stack.readable(Properties['FunctionName']),
      Properties['Principal'],
      stack.readable(Properties['SourceArn']),
    ]);
    const api = 'arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>';
    expect(invokers.sort()).toEqual([
      ['<HttpApi/Handler/Function.Arn>', 'apigateway.amazonaws.com', `${api}:<HttpApi/Api>/*/*`],
      [
        '<SocketRoutes/Authorize/Function.Arn>',
        'apigateway.amazonaws.com',
        `${api}:<SocketApi/Api>/authorizers/<SocketRoutes/Authorizer>`,
      ],
      ['<SocketRoutes/Socket/Function.Arn>', 'apigateway.amazonaws.com', `${api}:<SocketApi/Api>/v1/*`],
      ['<Uploaded/ObjectCreated/Function.Arn>', 'events.amazonaws.com', '<Uploaded/Rule.Arn>'],
    ]);
  });
});
