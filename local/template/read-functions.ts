import * as v from 'valibot';
import { UnsupportedTemplateError } from '../errors.ts';
import { attributeOf, NumberSchema, readProperties, referenceOf, type Stack } from './properties.ts';
import { resourcesOfType, type TemplateResource } from './template.ts';

/** A Lambda function as the template declares it. */
export interface FunctionDeclaration {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** What people call it: `Publishing/Deliver`, the path of its construct within the stack. */
  readonly constructPath: string;
  /** Absolute path of the folder with the bundle. */
  readonly bundle: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly reservedConcurrency: number | undefined;
  /** The name of the role that it runs as. */
  readonly roleName: string;
  /** The file system that it mounts: Lambda allows one. */
  readonly fileSystem: { readonly accessPointArn: string; readonly localMountPath: string } | undefined;
  /** The subnets that it lives in; none outside a VPC. */
  readonly subnetIds: readonly string[];
}

const FunctionSchema = v.strictObject({
  Code: v.object({ S3Key: v.string() }),
  Handler: v.string(),
  Runtime: v.literal('nodejs24.x'),
  Role: v.string(),
  Environment: v.optional(v.object({ Variables: v.record(v.string(), v.string()) }), { Variables: {} }),
  /** Seconds; Lambda's default is 3 (Lambda API Reference, CreateFunction). */
  Timeout: v.optional(NumberSchema, 3),
  /** Megabytes; Lambda's default is 128. */
  MemorySize: v.optional(NumberSchema, 128),
  ReservedConcurrentExecutions: v.optional(NumberSchema),
  FileSystemConfigs: v.optional(
    v.pipe(v.array(v.strictObject({ Arn: v.string(), LocalMountPath: v.string() })), v.maxLength(1)),
    [],
  ),
  // Security groups are not looked at: nothing but 127.0.0.1 is reached from here.
  VpcConfig: v.optional(
    v.object({ SubnetIds: v.array(v.string()), SecurityGroupIds: v.optional(v.array(v.string())) }),
    { SubnetIds: [] },
  ),
});

/** Where a function logs to, how it is traced, and what it runs on change nothing here. */
const IGNORED = [
  'Architectures',
  'Description',
  'EphemeralStorage',
  'FunctionName',
  'LoggingConfig',
  'Tags',
  'TracingConfig',
];

/** The functions of the template, but those that only serve a custom resource which the runtime does itself. */
export function readFunctions(stack: Stack): readonly FunctionDeclaration[] {
  const done = functionsOfPageDeployment(stack);
  return resourcesOfType(stack.template, 'AWS::Lambda::Function')
    .filter(({ logicalId }) => !done.has(attributeOf(stack, logicalId, 'Arn')))
    .map((resource) => readFunction(stack, resource));
}

function readFunction(stack: Stack, resource: TemplateResource): FunctionDeclaration {
  const properties = readProperties(stack, resource, FunctionSchema, IGNORED);
  const bundle = stack.assets.get(properties.Code.S3Key);
  if (bundle === undefined) {
    throw new UnsupportedTemplateError(
      resource.logicalId,
      resource.type,
      'its code is no asset of the assembly',
    );
  }
  const [fileSystem] = properties.FileSystemConfigs;
  return {
    logicalId: resource.logicalId,
    name: referenceOf(stack, resource.logicalId),
    arn: attributeOf(stack, resource.logicalId, 'Arn'),
    constructPath:
      resource.constructPath
        .replace(`${stack.stackName}/`, '')
        .replace(/\/Function\/Resource$|\/Resource$/, '') || resource.logicalId,
    bundle,
    handler: properties.Handler,
    environment: properties.Environment.Variables,
    timeoutMs: properties.Timeout * 1000,
    memoryMb: properties.MemorySize,
    reservedConcurrency: properties.ReservedConcurrentExecutions,
    roleName: properties.Role.slice(properties.Role.lastIndexOf('/') + 1),
    fileSystem:
      fileSystem === undefined
        ? undefined
        : { accessPointArn: fileSystem.Arn, localMountPath: fileSystem.LocalMountPath },
    subnetIds: properties.VpcConfig.SubnetIds,
  };
}

function functionsOfPageDeployment(stack: Stack): ReadonlySet<string> {
  return new Set(
    resourcesOfType(stack.template, 'Custom::CDKBucketDeployment').map(
      (resource) => readProperties(stack, resource, v.object({ ServiceToken: v.string() })).ServiceToken,
    ),
  );
}
