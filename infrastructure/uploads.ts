import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';

/** What the uploads bucket depends on. */
export interface UploadsProps extends Pick<Settings, 'data'> {
  /** Where the page comes from, `https://…`: the only origin whose scripts may upload. */
  readonly pageOrigin: string;
}

/** The bucket that clients upload to, with URLs and forms that the API signs. */
export class Uploads extends Construct {
  readonly bucket: Bucket;
  /** The prefix of every key that a client may be granted. */
  readonly prefix = 'uploads/';

  constructor(scope: Construct, id: string, props: UploadsProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      cors: [
        {
          allowedOrigins: [props.pageOrigin],
          allowedMethods: [HttpMethods.PUT, HttpMethods.POST],
          allowedHeaders: ['content-type', 'x-amz-*'], // what an upload grant may sign
          exposedHeaders: ['ETag'], // completing a multipart upload names each part's
          maxAge: 3600, // seconds
        },
      ],
      lifecycleRules: [
        { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(1) }, // parts nobody sees cost as objects do
        { id: 'processed', expiration: Duration.days(7) }, // as long as its job, to look into failures
      ],
      removalPolicy: props.data === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // `eventBridgeEnabled` would deploy a function to do what this property does.
    const resource = this.bucket.node.defaultChild as CfnBucket; // the default child of a Bucket is its CfnBucket
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'A server access log holds the query strings of presigned URLs. Who uploads what is in the jobs table; CloudTrail data events tell the rest where they are wanted.',
    });
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
  allowRead(caller: NodeFunction): void {
    caller.allowKeys('s3:GetObject', this.bucket, this.prefix);
  }

  /** Lets a function learn that an object is missing: without, S3 answers 403 instead of 404. */
  allowDiscovery(caller: NodeFunction): void {
    caller.allow(['s3:ListBucket'], [this.bucket.bucketArn]);
  }
}
