import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { StartError } from '../../../local/errors.ts';
import { FunctionFleet } from '../../../local/runtime/function-fleet.ts';
import { startNoRoute } from '../../../local/services/no-route.ts';
import type { Stack } from '../../../local/template/properties.ts';
import { writeBundle } from '../functions/bundles.ts';
import { roleAllowing, stackOf } from '../template/template-fixture.ts';

/** Answers with its environment, after it has written into the folder that it was told, and called the queues. */
const CODE = `
  import { writeFile } from 'node:fs/promises';
  import path from 'node:path';
  export const handler = async ({ write, call }) => {
    if (write) await writeFile(path.join(process.env.WORKSPACE_PATH, 'plan.json'), write);
    if (!call) return process.env;
    const response = await fetch(process.env.AWS_ENDPOINT_URL_SQS, { method: 'POST', body: '{}' });
    return { status: response.status, ...(await response.json()) };
  };
`;

const MOUNT = {
  FileSystemConfigs: [{ Arn: { 'Fn::GetAtt': ['Access', 'Arn'] }, LocalMountPath: '/mnt/work' }],
  VpcConfig: { SubnetIds: [{ Ref: 'Subnet' }], SecurityGroupIds: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }] },
};

function functionWith(role: string, fields: object) {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Key: 'code.zip' },
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Role: { 'Fn::GetAtt': [role, 'Arn'] },
      Environment: {
        Variables: { WORKSPACE_PATH: '/mnt/work', PLANS: '/mnt/work/plans/new', OTHER: '/mnt/workshop' },
      },
      ...fields,
    },
  };
}

const CreationInfo = { OwnerUid: '1000', OwnerGid: '1000', Permissions: '700' };

/** An access point of `Files`. */
function accessPoint(RootDirectory: object) {
  return {
    Type: 'AWS::EFS::AccessPoint',
    Properties: { FileSystemId: { Ref: 'Files' }, RootDirectory, PosixUser: {} },
  };
}

/** Two functions that share a file system, in a network that leads to S3 alone, and one outside. */
function stack(
  fields: Partial<Record<string, { readonly Type: string; readonly Properties?: object }>> = {},
): Stack {
  const resources = {
    Vpc: { Type: 'AWS::EC2::VPC' },
    Group: { Type: 'AWS::EC2::SecurityGroup' },
    Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.0.0/26' } },
    S3: {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: { Ref: 'Vpc' },
        VpcEndpointType: 'Gateway',
        ServiceName: { 'Fn::Join': ['', ['com.amazonaws.', { Ref: 'AWS::Region' }, '.s3']] },
      },
    },
    Files: { Type: 'AWS::EFS::FileSystem', Properties: { Encrypted: true } },
    Access: accessPoint({ Path: '/jobs', CreationInfo }),
    Role: roleAllowing(['elasticfilesystem:ClientMount'], { 'Fn::GetAtt': ['Files', 'Arn'] }),
    Inspect: functionWith('Role', MOUNT),
    Merge: functionWith('Role', MOUNT),
    Begin: functionWith('Role', {}),
    ...fields,
  };
  return stackOf(resources, { 'code.zip': writeBundle(CODE) });
}

async function fleetOf(
  template: Stack,
): Promise<{ functions: FunctionFleet; folder: string; lines: string[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'jobwire-file-systems-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const noRoute = await startNoRoute((line) => lines.push(line));
  onTestFinished(() => noRoute.close());
  const functions = new FunctionFleet(template, {
    endpoints: {
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:2',
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:3',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:4',
      AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:5',
    },
    noRouteTo: (service) => noRoute.endpointFor(service),
    folderOf: (id) => path.join(folder, id),
    rootSecret: 'secret',
    log: () => undefined,
    onReport: () => undefined,
  });
  onTestFinished(() => functions.close());
  return { functions, folder, lines };
}

async function answer(
  functions: FunctionFleet,
  name: string,
  event: object = {},
): Promise<Record<string, string>> {
  const outcome = await functions.find(`Stack-${name}`).invoke(event);
  if (outcome.kind === 'failed') throw new Error(outcome.error.errorMessage);
  // The code above answers with texts.
  return outcome.payload as Record<string, string>;
}

it('gives functions that mount a file system one folder, and others none', async () => {
  const { functions, folder } = await fleetOf(stack());
  const inspect = await answer(functions, 'Inspect', { write: 'the plan' });
  const merge = await answer(functions, 'Merge');
  const workspace = merge['WORKSPACE_PATH'] ?? '';
  expect(workspace).toBe(inspect['WORKSPACE_PATH']);
  expect(path.relative(folder, workspace)).toMatch(/^fs-[0-9a-f]{17}[/\\]jobs$/);
  expect(merge['PLANS']).toBe(path.join(workspace, 'plans', 'new'));
  expect(merge['OTHER']).toBe('/mnt/workshop');
  expect(await readFile(path.join(workspace, 'plan.json'), 'utf8')).toBe('the plan');
  expect(await answer(functions, 'Begin')).toMatchObject({
    WORKSPACE_PATH: '/mnt/work',
    PLANS: '/mnt/work/plans/new',
  });
});

it('lets functions of a network reach what its endpoints name, and says why nothing else', async () => {
  const { functions, lines } = await fleetOf(stack());
  const inspect = await answer(functions, 'Inspect');
  expect(inspect['AWS_ENDPOINT_URL_S3']).toBe('http://127.0.0.1:2');
  expect(Object.values(inspect).filter((value) => /^http:..127\.0\.0\.1:[1345]$/.test(value))).toEqual([]);
  const message = /^A function in a VPC called sqs, for which the VPC has no endpoint/;
  expect(await answer(functions, 'Inspect', { call: true })).toMatchObject({
    status: 400,
    __type: 'NoRouteFromVpc',
    message: expect.stringMatching(message),
  });
  expect(lines).toEqual([expect.stringMatching(message)]);
  expect(await answer(functions, 'Begin')).toMatchObject({
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:2',
    AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:3',
    AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:5',
  });
});

it.each([
  [
    { Role: roleAllowing(['elasticfilesystem:ClientWrite'], '*') },
    /Stack-Inspect may not mount .* do not allow elasticfilesystem:ClientMount/,
  ],
  [
    { Access: { Type: 'AWS::EFS::AccessPoint', Properties: { FileSystemId: 'fs-1' } } },
    /Stack-Inspect mounts .*, which the template does not have/,
  ],
  [{ Access: accessPoint({ Path: '/jobs', CreationInfo, Quota: 1 }) }, /Access .*RootDirectory.Quota/],
  [{ Access: accessPoint({ Path: '/jobs' }) }, /Access .*RootDirectory: needs CreationInfo/],
  [{ Access: accessPoint({ Path: '/../jobs', CreationInfo }) }, /Access .*RootDirectory.Path/],
  [
    { Merge: functionWith('Role', { VpcConfig: { SubnetIds: ['subnet-1'] } }) },
    /the subnet subnet-1, which it does not have/,
  ],
  [
    { Files: { Type: 'AWS::EFS::FileSystem', Properties: { ReplicationConfiguration: {} } } },
    /Files .*ReplicationConfiguration/,
  ],
  [
    {
      S3: {
        Type: 'AWS::EC2::VPCEndpoint',
        Properties: { VpcId: { Ref: 'Vpc' }, ServiceName: 'a.s3', VpcEndpointType: 'Interface' },
      },
    },
    /S3 .*VpcEndpointType/,
  ],
])('refuses what AWS would refuse, or what would not run as there: %j', async (fields, sentence) => {
  const starting = fleetOf(stack(fields));
  await expect(starting).rejects.toThrow(StartError);
  await expect(starting).rejects.toThrow(sentence);
});
