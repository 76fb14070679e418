import { REGION } from '../account.ts';
import type { ObjectCreated, ObjectCreatedReason } from '../services/s3-object-created.ts';

/** A function that a bucket tells of new objects; an item of `NotificationConfiguration.LambdaConfigurations`. */
export interface BucketNotification {
  /** `s3:ObjectCreated:*`, or one of its kinds. */
  readonly event: string;
  readonly functionArn: string;
  /** What the key must begin and end with; compared letter by letter, without wildcards. */
  readonly rules: readonly { readonly name: 'prefix' | 'suffix'; readonly value: string }[];
}

/** What S3 calls the creations in notifications; EventBridge has other words (aws-facts 4). */
const EVENT_NAMES: Readonly<Record<ObjectCreatedReason, string>> = {
  PutObject: 'ObjectCreated:Put',
  'POST Object': 'ObjectCreated:Post',
  CopyObject: 'ObjectCreated:Copy',
  CompleteMultipartUpload: 'ObjectCreated:CompleteMultipartUpload',
};

/** Whether the function of a notification is told of an object. */
export function concerns({ event, rules }: BucketNotification, { key, reason }: ObjectCreated): boolean {
  return (
    (event === 's3:ObjectCreated:*' || event === `s3:${EVENT_NAMES[reason]}`) &&
    rules.every(({ name, value }) => (name === 'prefix' ? key.startsWith(value) : key.endsWith(value)))
  );
}

/** The notification that S3 sends of a new object (S3UG:notification-content-structure; aws-facts 4). */
export function buildNotification(created: ObjectCreated): { readonly Records: readonly unknown[] } {
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: REGION,
        eventTime: new Date(created.time).toISOString(),
        eventName: EVENT_NAMES[created.reason],
        userIdentity: { principalId: `AWS:${created.requester}` },
        requestParameters: { sourceIPAddress: created.sourceIp },
        responseElements: { 'x-amz-request-id': created.requestId, 'x-amz-id-2': 'local' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'local',
          bucket: {
            name: created.bucket,
            ownerIdentity: { principalId: created.requester },
            arn: `arn:aws:s3:::${created.bucket}`,
          },
          object: {
            key: formEncoded(created.key),
            size: created.size,
            eTag: created.etag,
            sequencer: created.sequencer,
          },
        },
      },
    ],
  };
}

/** As a form's field is written, but for `/`: a blank is `+`, a plus `%2B`, `@` `%40` (aws-facts 4). */
function formEncoded(key: string): string {
  // Nothing but the letters, digits and `-_.*` of URLSearchParams stays.
  return new URLSearchParams({ key }).toString().slice('key='.length).replaceAll('%2F', '/');
}
