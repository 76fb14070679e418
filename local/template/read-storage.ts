import * as v from 'valibot';
import type { BucketNotification } from '../events/bucket-notifications.ts';
import type { TableSettings } from '../services/dynamodb-tables.ts';
import type { GenerateSecretString } from '../services/generated-secret.ts';
import type { SecretSettings } from '../services/secrets-manager.ts';
import type { QueueSettings } from '../services/sqs.ts';
import {
  attributeOf,
  FlagSchema,
  NumberSchema,
  readProperties,
  referenceOf,
  type Stack,
} from './properties.ts';
import type { InvokePermissions } from './read-permissions.ts';
import { resourcesOfType, type TemplateResource } from './template.ts';

const KeySchema = v.array(
  v.strictObject({ AttributeName: v.string(), KeyType: v.picklist(['HASH', 'RANGE']) }),
);

const TableSchema = v.strictObject({
  KeySchema,
  AttributeDefinitions: v.array(
    v.strictObject({ AttributeName: v.string(), AttributeType: v.picklist(['S', 'N', 'B']) }),
  ),
  GlobalSecondaryIndexes: v.exactOptional(
    v.array(
      v.strictObject({
        IndexName: v.string(),
        KeySchema,
        Projection: v.strictObject({
          ProjectionType: v.picklist(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: v.exactOptional(v.array(v.string())),
        }),
      }),
    ),
  ),
  StreamSpecification: v.exactOptional(
    v.strictObject({
      StreamViewType: v.picklist(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']),
    }),
  ),
  TimeToLiveSpecification: v.exactOptional(
    v.strictObject({ AttributeName: v.string(), Enabled: FlagSchema }),
  ),
});

/** Capacity, backups and encryption change no answer of a table. */
const IGNORED_OF_TABLES = [
  'BillingMode',
  'ContributorInsightsSpecification',
  'DeletionProtectionEnabled',
  'OnDemandThroughput',
  'PointInTimeRecoverySpecification',
  'SSESpecification',
  'TableName',
  'Tags',
];

const NotificationSchema = v.strictObject({
  Event: v.picklist([
    's3:ObjectCreated:*',
    's3:ObjectCreated:Put',
    's3:ObjectCreated:Post',
    's3:ObjectCreated:Copy',
    's3:ObjectCreated:CompleteMultipartUpload',
  ]),
  Function: v.string(),
  Filter: v.exactOptional(
    v.strictObject({
      S3Key: v.strictObject({
        Rules: v.array(v.strictObject({ Name: v.picklist(['prefix', 'suffix']), Value: v.string() })),
      }),
    }),
  ),
});

const BucketSchema = v.strictObject({
  CorsConfiguration: v.optional(
    v.strictObject({
      CorsRules: v.array(
        v.strictObject({
          AllowedOrigins: v.array(v.string()),
          AllowedMethods: v.array(v.string()),
          AllowedHeaders: v.optional(v.array(v.string()), []),
          ExposedHeaders: v.optional(v.array(v.string()), []),
          MaxAge: v.exactOptional(NumberSchema),
          Id: v.optional(v.string()),
        }),
      ),
    }),
    { CorsRules: [] },
  ),
  NotificationConfiguration: v.optional(
    v.strictObject({
      EventBridgeConfiguration: v.optional(v.strictObject({ EventBridgeEnabled: FlagSchema })),
      LambdaConfigurations: v.optional(v.array(NotificationSchema), []),
    }),
  ),
});

/** Here a bucket is private and on the user's own disk, and nothing expires by itself. */
const IGNORED_OF_BUCKETS = [
  'BucketEncryption',
  'BucketName',
  'LifecycleConfiguration',
  'LoggingConfiguration',
  'OwnershipControls',
  'PublicAccessBlockConfiguration',
  'Tags',
];

const QueueSchema = v.strictObject({
  VisibilityTimeout: v.exactOptional(NumberSchema),
  MessageRetentionPeriod: v.exactOptional(NumberSchema),
  DelaySeconds: v.exactOptional(NumberSchema),
  ReceiveMessageWaitTimeSeconds: v.exactOptional(NumberSchema),
  RedrivePolicy: v.exactOptional(
    v.strictObject({ deadLetterTargetArn: v.string(), maxReceiveCount: NumberSchema }),
  ),
});

const IGNORED_OF_QUEUES = [
  'KmsMasterKeyId',
  'QueueName',
  'RedriveAllowPolicy',
  'SqsManagedSseEnabled',
  'Tags',
];

const SecretSchema = v.strictObject({
  GenerateSecretString: v.strictObject({
    SecretStringTemplate: v.exactOptional(v.string()),
    GenerateStringKey: v.exactOptional(v.string()),
    PasswordLength: v.exactOptional(NumberSchema),
    ExcludeCharacters: v.exactOptional(v.string()),
    ExcludeLowercase: v.exactOptional(FlagSchema),
    ExcludeUppercase: v.exactOptional(FlagSchema),
    ExcludeNumbers: v.exactOptional(FlagSchema),
    ExcludePunctuation: v.exactOptional(FlagSchema),
    IncludeSpace: v.exactOptional(FlagSchema),
    RequireEachIncludedType: v.exactOptional(FlagSchema),
  }),
});

/** A table, and the ARN that its stream has in the template. */
export interface TableDeclaration {
  readonly settings: TableSettings;
  readonly streamArn: string;
}

/** The tables of the template. */
export function readTables(stack: Stack): readonly TableDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::DynamoDB::Table').map((resource) => ({
    settings: {
      TableName: referenceOf(stack, resource.logicalId),
      ...readProperties(stack, resource, TableSchema, IGNORED_OF_TABLES),
    },
    streamArn: attributeOf(stack, resource.logicalId, 'StreamArn'),
  }));
}

/** A bucket as the template declares it. */
export interface BucketDeclaration {
  readonly name: string;
  readonly corsRules: v.InferOutput<typeof BucketSchema>['CorsConfiguration']['CorsRules'];
  /** Whether its events go to EventBridge. */
  readonly eventBridge: boolean;
  /** The functions that it tells of new objects by itself. */
  readonly notifications: readonly BucketNotification[];
}

/**
 * The buckets of the template, and whom they tell.
 * @throws StartError when a bucket may not invoke a function: S3 checks that when it is told to.
 */
export function readNotifyingBuckets(
  stack: Stack,
  permissions: InvokePermissions,
): readonly BucketDeclaration[] {
  const buckets = readBuckets(stack);
  for (const { name, notifications } of buckets) {
    for (const { functionArn } of notifications)
      permissions.require('s3', `arn:aws:s3:::${name}`, functionArn);
  }
  return buckets;
}

/** The buckets of the template. */
export function readBuckets(stack: Stack): readonly BucketDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::S3::Bucket').map((resource) => {
    const properties = readProperties(stack, resource, BucketSchema, IGNORED_OF_BUCKETS);
    return {
      name: referenceOf(stack, resource.logicalId),
      corsRules: properties.CorsConfiguration.CorsRules,
      eventBridge:
        properties.NotificationConfiguration?.EventBridgeConfiguration?.EventBridgeEnabled ?? false,
      notifications: (properties.NotificationConfiguration?.LambdaConfigurations ?? []).map(
        ({ Event, Function: functionArn, Filter }) => ({
          event: Event,
          functionArn,
          rules: Filter?.S3Key.Rules.map(({ Name, Value }) => ({ name: Name, value: Value })) ?? [],
        }),
      ),
    };
  });
}

/** A queue, with the ARN and the URL by which the template refers to it. */
export interface QueueDeclaration {
  readonly settings: QueueSettings;
  readonly arn: string;
  readonly url: string;
}

/** The queues of the template. */
export function readQueues(stack: Stack): readonly QueueDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::SQS::Queue').map((resource) => ({
    settings: {
      QueueName: attributeOf(stack, resource.logicalId, 'QueueName'),
      ...readProperties(stack, resource, QueueSchema, IGNORED_OF_QUEUES),
    },
    arn: attributeOf(stack, resource.logicalId, 'Arn'),
    url: referenceOf(stack, resource.logicalId),
  }));
}

/** The secrets of the template. */
export function readSecrets(stack: Stack): readonly SecretSettings[] {
  return resourcesOfType(stack.template, 'AWS::SecretsManager::Secret').map((resource) => ({
    Name: secretNameOf(stack.stackName, resource),
    GenerateSecretString: readGeneration(stack, resource),
  }));
}

function readGeneration(stack: Stack, resource: TemplateResource): GenerateSecretString {
  return readProperties(stack, resource, SecretSchema, ['Description', 'Name', 'Tags']).GenerateSecretString;
}

/** The name of a secret: CloudFormation makes it from the stack and the logical id. */
export function secretNameOf(stackName: string, resource: TemplateResource): string {
  return `${stackName}-${resource.logicalId}`;
}
