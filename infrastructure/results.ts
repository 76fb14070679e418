import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';

/** What the results bucket depends on. */
export interface ResultsProps extends Pick<Settings, 'data'> {
  /** Where the page comes from, `https://…`: the only origin whose scripts may read results. */
  readonly pageOrigin: string;
}

/** The bucket of results: written by processors, read through short-lived URLs. */
export class Results extends Construct {
  readonly bucket: Bucket;
  /** The prefix of every key. */
  readonly prefix = 'results/';

  constructor(scope: Construct, id: string, props: ResultsProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      cors: [
        {
          allowedOrigins: [props.pageOrigin],
          allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
          allowedHeaders: ['range'],
          maxAge: 3600, // seconds
        },
      ],
      lifecycleRules: [{ id: 'old', expiration: Duration.days(7) }], // as long as the job that links to it
      removalPolicy: props.data === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'A server access log holds the query strings of presigned URLs. Who fetched which result is in the API access log, which has none.',
    });
  }

  /** Lets a function write results. */
  allowWrite(caller: NodeFunction): void {
    caller.allowKeys('s3:PutObject', this.bucket, this.prefix);
  }

  /** Lets a function read results, which is what the URLs that it signs can do. */
  allowRead(caller: NodeFunction): void {
    caller.allowKeys('s3:GetObject', this.bucket, this.prefix);
  }
}
