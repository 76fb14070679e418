import { describe, expect, it } from 'vitest';
import { SynthesizedStack, UPLOADS_BUCKET } from './synthesized-stack.ts';

/** What is in the network, by its name. */
const MOUNTING = ['Fetch', 'Inspect', 'Profile', 'Merge', 'Fail'];

describe('the bucket of step-functions', () => {
  const stack = new SynthesizedStack({ processing: 'step-functions' });

  it('is private, encrypted, closed to scripts, and forgets everything after a day', () => {
    const bucket = stack.properties('AWS::S3::Bucket', 'Workspace/Bucket');
    expect(bucket).toMatchObject({
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: { Rules: [{ Id: 'left', ExpirationInDays: 1, Status: 'Enabled' }] },
    });
    expect(bucket).not.toHaveProperty('CorsConfiguration');
    expect(stack.ofType('AWS::S3::Bucket')['Workspace/Bucket']?.DeletionPolicy).toBe('Delete');
    const policy = JSON.stringify(
      stack.readable(stack.properties('AWS::S3::BucketPolicy', 'Workspace/Bucket/Policy')),
    );
    expect(policy).toContain('"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"');
  });

  it('leaves every function outside of networks', () => {
    for (const [path, { Properties }] of Object.entries(stack.ofType('AWS::Lambda::Function'))) {
      expect(Properties, path).not.toHaveProperty('VpcConfig');
      expect(Properties, path).not.toHaveProperty('FileSystemConfigs');
    }
  });
});

describe('the file system of step-functions-efs', () => {
  const stack = new SynthesizedStack({ processing: 'step-functions-efs' });
  const one = (type: string, path: string) => stack.readable(stack.properties(type, path));

  it('is encrypted, as fast when it is empty, and goes with the stack', () => {
    expect(one('AWS::EFS::FileSystem', 'Workspace/FileSystem')).toMatchObject({
      Encrypted: true,
      ThroughputMode: 'elastic',
      LifecyclePolicies: [{ TransitionToIA: 'AFTER_1_DAY' }],
    });
    expect(stack.ofType('AWS::EFS::FileSystem')['Workspace/FileSystem']?.DeletionPolicy).toBe('Delete');
  });

  it('lets nobody in without TLS, a role, and the one access point, where files are nobody’s but the steps’', () => {
    expect(one('AWS::EFS::FileSystem', 'Workspace/FileSystem')).toMatchObject({
      FileSystemPolicy: {
        Statement: [
          {
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
          {
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Condition: { Null: { 'elasticfilesystem:AccessPointArn': 'true' } },
          },
        ],
      },
    });
    expect(Object.keys(stack.ofType('AWS::EFS::AccessPoint'))).toEqual(['Workspace/AccessPoint']);
    expect(one('AWS::EFS::AccessPoint', 'Workspace/AccessPoint')).toEqual({
      FileSystemId: '<Workspace/FileSystem>',
      PosixUser: { Uid: '1000', Gid: '1000' },
      RootDirectory: {
        Path: '/jobwire',
        CreationInfo: { OwnerUid: '1000', OwnerGid: '1000', Permissions: '700' },
      },
    });
  });

  it('is mounted by the steps that read or remove files, and by nobody else', () => {
    const mounting = Object.entries(stack.ofType('AWS::Lambda::Function')).filter(
      ([, { Properties }]) => 'FileSystemConfigs' in Properties || 'VpcConfig' in Properties,
    );
    expect(mounting.map(([path]) => path).sort()).toEqual(
      MOUNTING.map((name) => `Workflow/${name}/Function`).sort(),
    );
    for (const [path, { Properties, DependsOn }] of mounting) {
      expect(stack.readable(Properties), path).toMatchObject({
        FileSystemConfigs: [{ Arn: '<Workspace/AccessPoint.Arn>', LocalMountPath: '/mnt/jobwire' }],
        VpcConfig: {
          SecurityGroupIds: ['<Workspace/Network/Steps.GroupId>'],
          SubnetIds: [1, 2].map((number) => `<Workspace/Network/Vpc/StepsSubnet${number}/Subnet>`),
        },
      });
      // Lambda looks for mount targets, and tries the role's network interfaces, when it makes the function.
      expect(
        DependsOn?.map((id) => stack.path(id)),
        path,
      ).toEqual(
        expect.arrayContaining([
          'Workspace/MountTarget1',
          'Workspace/MountTarget2',
          path.replace('Function', 'Role/DefaultPolicy'),
        ]),
      );
    }
  });

  it('is reached in two zones, by NFS from the steps alone', () => {
    const subnets = Object.values(stack.ofType('AWS::EC2::Subnet'));
    expect(subnets.map(({ Properties }) => Properties['AvailabilityZone'])).toEqual(
      [0, 1].map((zone) => ({ 'Fn::Select': [zone, { 'Fn::GetAZs': '' }] })),
    );
    expect(Object.keys(stack.ofType('AWS::EFS::MountTarget'))).toHaveLength(2);
    for (const { Properties } of Object.values(stack.ofType('AWS::EFS::MountTarget'))) {
      expect(stack.readable(Properties)).toMatchObject({
        SecurityGroups: ['<Workspace/Network/Files.GroupId>'],
      });
    }
    const [ingress, ...more] = Object.values(stack.ofType('AWS::EC2::SecurityGroupIngress'));
    expect(more).toEqual([]);
    expect(stack.readable(ingress?.Properties)).toMatchObject({
      GroupId: '<Workspace/Network/Files.GroupId>',
      SourceSecurityGroupId: '<Workspace/Network/Steps.GroupId>',
      IpProtocol: 'tcp',
      FromPort: 2049,
      ToPort: 2049,
    });
    for (const { Properties } of Object.values(stack.ofType('AWS::EC2::SecurityGroup'))) {
      expect(Properties).not.toHaveProperty('SecurityGroupIngress');
    }
  });

  it('is in a network that leads to the objects and the jobs alone', () => {
    for (const type of ['InternetGateway', 'NatGateway', 'Route', 'VPCGatewayAttachment', 'EIP']) {
      expect(stack.ofType(`AWS::EC2::${type}`), type).toEqual({});
    }
    const endpoints = Object.values(stack.ofType('AWS::EC2::VPCEndpoint')).map(({ Properties }) => {
      const { ServiceName, VpcEndpointType, PolicyDocument } = stack.readable(Properties) as {
        ServiceName: string;
        VpcEndpointType: string;
        PolicyDocument: { Statement: { Action: string | string[]; Resource: string }[] };
      }; // CloudFormation's own shape
      const allowed = PolicyDocument.Statement.map(
        ({ Action, Resource }) => `${[Action].flat()} ${Resource}`,
      );
      return [ServiceName, VpcEndpointType, allowed.sort()];
    });
    const uploads = `arn:<AWS::Partition>:s3:::${UPLOADS_BUCKET}`;
    expect(endpoints).toEqual([
      [
        'com.amazonaws.<AWS::Region>.s3',
        'Gateway',
        [
          `s3:GetObject ${uploads}/uploads/*`,
          `s3:ListBucket ${uploads}`,
          's3:PutObject <Results/Bucket.Arn>/results/*',
        ],
      ],
      [
        'com.amazonaws.<AWS::Region>.dynamodb',
        'Gateway',
        ['dynamodb:GetItem,dynamodb:UpdateItem <Jobs/Table.Arn>'],
      ],
    ]);
  });
});
