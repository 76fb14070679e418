import { Aws, Duration, Fn } from 'aws-cdk-lib';
import { Bucket, type CfnBucket, HttpMethods, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { DataBucket } from './data-bucket.ts';
import type { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';

/** What the uploads bucket depends on. */
export interface UploadsProps extends Pick<Settings, 'data'> {
  /** Whose scripts may upload, `https://…`; `*` is everybody's. */
  readonly origins: readonly string[];
}

/** The bucket that clients upload to, with URLs and forms that the API signs. */
export class Uploads extends Construct {
  readonly bucket: Bucket;
  /**
   * The same bucket by its name alone, which makes nobody wait for it: for what has to be there before the bucket
   * is, because the bucket tells it of uploads (see `tell`).
   */
  readonly named: IBucket;
  /** The prefix of every key that a client may be granted. */
  readonly prefix = 'uploads/';

  constructor(scope: Construct, id: string, props: UploadsProps) {
    super(scope, id);
    // The last part of a stack's id is made anew for each stack: a bucket that outlived its stack is in nobody's way.
    const bucketName = Fn.join('', ['jobwire-uploads-', Fn.select(2, Fn.split('/', Aws.STACK_ID))]);
    this.named = Bucket.fromBucketName(this, 'Named', bucketName);
    this.bucket = new DataBucket(this, 'Bucket', {
      bucketName,
      data: props.data,
      cors: {
        allowedOrigins: [...props.origins],
        allowedMethods: [HttpMethods.PUT, HttpMethods.POST],
        allowedHeaders: ['content-type', 'x-amz-*'], // what an upload grant may sign
        exposedHeaders: ['ETag'], // completing a multipart upload names each part's
      },
      lifecycleRules: [
        { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(1) }, // parts nobody sees cost as objects do
        { id: 'processed', expiration: Duration.days(7) }, // as long as its job, to look into failures
      ],
      insteadOfAccessLog:
        'It would hold the query strings of presigned URLs. Who uploads what is in the jobs table; CloudTrail data events tell the rest where they are wanted.',
    });
  }

  /**
   * Says whom the bucket tells of uploads. It is made after the listener, with everything in it: S3 refuses to tell a
   * function that it may not invoke (API Reference, PutBucketNotificationConfiguration), and what EventBridge hears
   * before there is a rule is lost. So the listener must know the bucket as `named`.
   */
  tell(listener: Construct, configuration: CfnBucket.NotificationConfigurationProperty): void {
    // The CDK's own ways, `eventBridgeEnabled` and `addEventNotification`, deploy a function to set this property.
    const resource = this.bucket.node.defaultChild as CfnBucket; // the default child of a Bucket is its CfnBucket
    resource.notificationConfiguration = configuration;
    resource.node.addDependency(listener);
  }

  /** Lets a function write uploads, which is what the URLs and forms that it signs can do; in parts, too. */
  allowWrite(caller: NodeFunction): void {
    caller.allowKeys('s3:PutObject', this.bucket, this.prefix);
  }

  /** Lets a function see which parts of an upload are there. */
  allowListParts(caller: NodeFunction): void {
    caller.allowKeys('s3:ListMultipartUploadParts', this.bucket, this.prefix);
  }

  /** Lets a function give uploads in parts up. */
  allowAbort(caller: NodeFunction): void {
    caller.allowKeys('s3:AbortMultipartUpload', this.bucket, this.prefix);
  }

  /** Lets a function read uploads. */
  allowRead(caller: NodeFunction, bucket: Pick<IBucket, 'arnForObjects'> = this.bucket): void {
    caller.allowKeys('s3:GetObject', bucket, this.prefix);
  }

  /** Lets a function learn that an object is missing: without, S3 answers 403 instead of 404. */
  allowDiscovery(caller: NodeFunction, bucket: Pick<IBucket, 'bucketArn'> = this.bucket): void {
    caller.allow(['s3:ListBucket'], [bucket.bucketArn]);
  }
}
