import { RemovalPolicy } from 'aws-cdk-lib';
import { CfnAccessPoint, CfnFileSystem, CfnMountTarget } from 'aws-cdk-lib/aws-efs';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FileSystem, type FileSystemConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Mount, NodeFunction } from './node-function.ts';
import type { Workspace } from './workspace.ts';
import { WorkspaceNetwork, type WorkspaceNetworkProps } from './workspace-network.ts';

/** Where functions see it: Lambda wants a folder below /mnt/ (aws-facts 5). */
const PATH = '/mnt/jobwire';

/** Who files belong to, whichever function writes them; anybody but root. */
const OWNER = { uid: '1000', gid: '1000' } as const;

/**
 * `processing=step-functions-efs`: a file system that the steps share, so that an upload is fetched once. It is
 * reached from two subnets without a way to the internet, over TLS, by functions that are allowed to, through one
 * access point.
 */
export class WorkspaceFileSystem extends Construct implements Workspace {
  readonly variables: Workspace['variables'] = { workspacePath: PATH };
  readonly mount: Mount;
  private readonly arn: string;

  constructor(scope: Construct, id: string, props: WorkspaceNetworkProps) {
    super(scope, id);
    const network = new WorkspaceNetwork(this, 'Network', props);
    const fileSystem = new CfnFileSystem(this, 'FileSystem', {
      encrypted: true,
      // Storage is nearly empty between jobs, and what bursts allow grows with storage: a megabyte a second.
      throughputMode: 'elastic',
      // Executions remove their files. What is left because that failed, too, costs a tenth from then on.
      lifecyclePolicies: [{ transitionToIa: 'AFTER_1_DAY' }],
      fileSystemPolicy: policy(),
    });
    fileSystem.applyRemovalPolicy(RemovalPolicy.DESTROY); // nothing in it is of use without its execution
    this.arn = fileSystem.attrArn;
    const accessPoint = new CfnAccessPoint(this, 'AccessPoint', {
      fileSystemId: fileSystem.ref,
      posixUser: OWNER,
      rootDirectory: {
        path: '/jobwire',
        creationInfo: { ownerUid: OWNER.uid, ownerGid: OWNER.gid, permissions: '700' },
      },
    });
    const targets = network.vpc.isolatedSubnets.map(
      ({ subnetId }, index) =>
        new CfnMountTarget(this, `MountTarget${index + 1}`, {
          fileSystemId: fileSystem.ref,
          subnetId,
          securityGroups: [network.files.securityGroupId],
        }),
    );
    this.mount = {
      vpc: network.vpc,
      securityGroups: [network.steps],
      fileSystem: new MountedFileSystem({
        arn: accessPoint.attrArn,
        localMountPath: PATH,
        // Lambda looks for them when it makes the function.
        dependency: [...targets, network.files],
      }),
    };
  }

  /** To read, write or remove is the same to a file system. */
  allow(step: NodeFunction): void {
    step.allow(['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'], [this.arn]);
  }
}

/** The CDK's own way, from an access point, would allow mounting each file system of the account through it. */
class MountedFileSystem extends FileSystem {
  constructor(config: FileSystemConfig) {
    super(config);
  }
}

/**
 * What nobody may, whatever a role says. With any policy there is no access without a role, which there is by default
 * (EFS User Guide, iam-access-control-nfs-efs).
 */
function policy(): PolicyDocument {
  const never = (sid: string, conditions: Record<string, Record<string, string>>) =>
    new PolicyStatement({
      sid,
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['ClientMount', 'ClientWrite', 'ClientRootAccess'].map(
        (action) => `elasticfilesystem:${action}`,
      ),
      conditions,
    });
  return new PolicyDocument({
    statements: [
      never('WithoutTls', { Bool: { 'aws:SecureTransport': 'false' } }),
      // The one access point cannot be named here, because it names the file system.
      never('BesideAccessPoint', { Null: { 'elasticfilesystem:AccessPointArn': 'true' } }),
    ],
  });
}
