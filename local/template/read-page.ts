import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { StartError } from '../errors.ts';
import type { ResponseHeadersPolicy } from '../services/static-site.ts';
import { FlagSchema, NumberSchema, readProperties, referenceOf, type Stack } from './properties.ts';
import { resourcesOfType } from './template.ts';

/** The page as the CDN would serve it. */
export interface PageDeclaration {
  /** The content by path relative to the root, with `/` between folders. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly defaultRootObject: string;
  /** What the CDN adds to every answer, and what the files are stored with. */
  readonly responseHeadersPolicy: ResponseHeadersPolicy;
}

const DistributionSchema = v.object({
  DistributionConfig: v.object({
    DefaultRootObject: v.optional(v.string(), ''),
    DefaultCacheBehavior: v.object({ ResponseHeadersPolicyId: v.optional(v.string()) }),
  }),
});

const OverrideSchema = v.strictObject({ Override: FlagSchema });

const HeadersPolicySchema = v.strictObject({
  ResponseHeadersPolicyConfig: v.strictObject({
    Comment: v.optional(v.string()),
    Name: v.string(),
    CustomHeadersConfig: v.exactOptional(
      v.strictObject({
        Items: v.array(v.strictObject({ Header: v.string(), Value: v.string(), Override: FlagSchema })),
      }),
    ),
    SecurityHeadersConfig: v.exactOptional(
      v.strictObject({
        ContentSecurityPolicy: v.exactOptional(
          v.strictObject({ ContentSecurityPolicy: v.string(), Override: FlagSchema }),
        ),
        ContentTypeOptions: v.exactOptional(OverrideSchema),
        FrameOptions: v.exactOptional(
          v.strictObject({ FrameOption: v.picklist(['DENY', 'SAMEORIGIN']), Override: FlagSchema }),
        ),
        ReferrerPolicy: v.exactOptional(v.strictObject({ ReferrerPolicy: v.string(), Override: FlagSchema })),
        StrictTransportSecurity: v.exactOptional(
          v.strictObject({
            AccessControlMaxAgeSec: NumberSchema,
            IncludeSubdomains: v.exactOptional(FlagSchema),
            Preload: v.exactOptional(FlagSchema),
            Override: FlagSchema,
          }),
        ),
      }),
    ),
  }),
});

/** What `aws-cdk-lib/aws-s3-deployment` says to the function behind its custom resource. */
const BucketDeploymentSchema = v.object({
  SourceObjectKeys: v.array(v.string()),
  SourceMarkers: v.optional(v.array(v.record(v.string(), v.string())), []),
  SystemMetadata: v.optional(v.record(v.string(), v.string()), {}),
});

/**
 * The page: the distribution with its headers, and the files that the bucket deployment would put behind it,
 * with its markers replaced.
 * @throws StartError when the template has no page or more than one.
 */
export async function readPage(stack: Stack): Promise<PageDeclaration> {
  const distribution = only(stack, 'AWS::CloudFront::Distribution');
  const { DistributionConfig } = readProperties(stack, distribution, DistributionSchema);
  const deployment = readProperties(
    stack,
    only(stack, 'Custom::CDKBucketDeployment'),
    BucketDeploymentSchema,
  );
  const files = new Map<string, Buffer>();
  for (const [index, objectKey] of deployment.SourceObjectKeys.entries()) {
    const folder = stack.assets.get(objectKey);
    if (folder === undefined) throw new StartError(`The page's asset ${objectKey} is not in the assembly`);
    for (const [name, content] of await readFolder(folder)) {
      files.set(name, replaceMarkers(content, deployment.SourceMarkers[index] ?? {}));
    }
  }
  return {
    files,
    defaultRootObject: DistributionConfig.DefaultRootObject,
    responseHeadersPolicy: withMetadata(
      readHeaders(stack, DistributionConfig.DefaultCacheBehavior.ResponseHeadersPolicyId),
      deployment.SystemMetadata,
    ),
  };
}

function only(stack: Stack, type: string) {
  const resources = resourcesOfType(stack.template, type);
  const [resource] = resources;
  if (resource === undefined || resources.length > 1) {
    throw new StartError(`The template must have one ${type}; it has ${resources.length}`);
  }
  return resource;
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(
        async (file): Promise<[string, Buffer]> => [
          path.relative(folder, file).replaceAll(path.sep, '/'),
          await readFile(file),
        ],
      ),
    ),
  );
}

function replaceMarkers(content: Buffer, markers: Readonly<Record<string, string>>): Buffer {
  if (Object.keys(markers).length === 0) return content;
  const replaced = Object.entries(markers).reduce(
    (text, [marker, value]) => text.replaceAll(marker, value),
    content.toString('utf8'),
  );
  // Markers stand behind a literal `https://` here and there; see `onThisMachine` in intrinsics.ts.
  return Buffer.from(replaced.replaceAll('https://127.0.0.1:', 'http://127.0.0.1:'), 'utf8');
}

function readHeaders(stack: Stack, policyId: string | undefined): ResponseHeadersPolicy {
  const policy = resourcesOfType(stack.template, 'AWS::CloudFront::ResponseHeadersPolicy').find(
    ({ logicalId }) => referenceOf(stack, logicalId) === policyId,
  );
  return policy === undefined
    ? {}
    : readProperties(stack, policy, HeadersPolicySchema).ResponseHeadersPolicyConfig;
}

/** The files keep the metadata that they are uploaded with, such as `cache-control`. */
function withMetadata(
  policy: ResponseHeadersPolicy,
  metadata: Readonly<Record<string, string>>,
): ResponseHeadersPolicy {
  const stored = Object.entries(metadata).map(([Header, Value]) => ({ Header, Value }));
  return {
    ...policy,
    CustomHeadersConfig: { Items: [...stored, ...(policy.CustomHeadersConfig?.Items ?? [])] },
  };
}
