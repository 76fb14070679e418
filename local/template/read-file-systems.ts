import * as v from 'valibot';
import { StartError } from '../errors.ts';
import { decide } from '../permissions/policy.ts';
import { attributeOf, readProperties, referenceOf, type Stack } from './properties.ts';
import type { FunctionDeclaration } from './read-functions.ts';
import { readRoleStatements } from './read-permissions.ts';
import { resourcesOfType } from './template.ts';

/** What a function sees of a file system. */
export interface MountDeclaration {
  readonly fileSystemId: string;
  /** The folder of the file system that is seen, such as `/jobwire`. */
  readonly root: string;
  /** Where the function's code would find it on Lambda, such as `/mnt/jobwire`. */
  readonly localMountPath: string;
}

const FileSystemSchema = v.strictObject({});

/** How files are kept and paid for, and who reaches them from elsewhere, changes nothing in a folder. */
const IGNORED = [
  'AvailabilityZoneName',
  'BackupPolicy',
  'Encrypted',
  'FileSystemPolicy',
  'FileSystemTags',
  'KmsKeyId',
  'LifecyclePolicies',
  'PerformanceMode',
  'ThroughputMode',
];

/** "/" or up to four folders below it (EFS API Reference, RootDirectory). */
const ROOT_PATH = /^(\/|(\/(?!\.)[^$#<>;`|&?{}^*/\n]+){1,4})$/;

/** Whose the folder is that EFS makes: whoever runs the runtime makes it here. */
const CreationInfoSchema = v.strictObject({
  OwnerUid: v.string(),
  OwnerGid: v.string(),
  Permissions: v.string(),
});

const RootDirectorySchema = v.pipe(
  v.strictObject({
    Path: v.optional(v.pipe(v.string(), v.regex(ROOT_PATH)), '/'),
    CreationInfo: v.exactOptional(CreationInfoSchema),
  }),
  v.check(
    ({ Path, CreationInfo }) => Path === '/' || CreationInfo !== undefined,
    'needs CreationInfo, without which EFS does not make the folder, and nothing can be mounted',
  ),
);

const AccessPointSchema = v.strictObject({
  FileSystemId: v.string(),
  RootDirectory: v.optional(RootDirectorySchema, { Path: '/' }),
});

/** Files belong to whoever runs the runtime. */
const IGNORED_OF_ACCESS_POINTS = ['AccessPointTags', 'ClientToken', 'PosixUser'];

/**
 * The mounts of functions, by the function's name.
 * @throws StartError when the role of one may not mount its file system: AWS would not let it start.
 */
export function readMounts(
  stack: Stack,
  functions: readonly FunctionDeclaration[],
): ReadonlyMap<string, MountDeclaration> {
  const fileSystems = new Map(
    resourcesOfType(stack.template, 'AWS::EFS::FileSystem').map((resource) => {
      readProperties(stack, resource, FileSystemSchema, IGNORED);
      const arn = attributeOf(stack, resource.logicalId, 'Arn');
      return [referenceOf(stack, resource.logicalId), arn];
    }),
  );
  const accessPoints = new Map(
    resourcesOfType(stack.template, 'AWS::EFS::AccessPoint').map((resource) => [
      attributeOf(stack, resource.logicalId, 'Arn'),
      readProperties(stack, resource, AccessPointSchema, IGNORED_OF_ACCESS_POINTS),
    ]),
  );
  const statements = readRoleStatements(stack);
  return new Map(
    functions.flatMap(({ name, fileSystem, roleName }) => {
      if (fileSystem === undefined) return [];
      const accessPoint = accessPoints.get(fileSystem.accessPointArn);
      const arn = accessPoint === undefined ? undefined : fileSystems.get(accessPoint.FileSystemId);
      if (accessPoint === undefined || arn === undefined) {
        throw new StartError(`${name} mounts ${fileSystem.accessPointArn}, which the template does not have`);
      }
      const action = 'elasticfilesystem:ClientMount';
      if (decide(statements.get(roleName) ?? [], action, arn) !== 'allowed') {
        throw new StartError(
          `${name} may not mount ${arn}: the policies of ${roleName} do not allow ${action}, and AWS would not let it start`,
        );
      }
      const { localMountPath } = fileSystem;
      const { FileSystemId: fileSystemId, RootDirectory } = accessPoint;
      return [[name, { fileSystemId, root: RootDirectory.Path, localMountPath }] as const];
    }),
  );
}
