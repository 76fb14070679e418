import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CorsRule,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** What differs between the buckets of what belongs to jobs. */
export interface DataBucketProps extends Pick<Settings, 'data'> {
  /** Its name, where others must know it before the bucket is there; without, CloudFormation makes one up. */
  readonly bucketName?: string;
  /** What scripts of which pages may do (`https://…`; `*` is everybody's); without, no script reaches it. */
  readonly cors?: Omit<CorsRule, 'maxAge'>;
  /** When objects go. */
  readonly lifecycleRules: readonly LifecycleRule[];
  /** Why it keeps no access log, and where else it is written down who did what. */
  readonly insteadOfAccessLog: string;
}

/** A bucket of what belongs to jobs: private, encrypted, reached over TLS alone, by functions and by URLs that they sign. */
export class DataBucket extends Bucket {
  constructor(scope: Construct, id: string, props: DataBucketProps) {
    super(scope, id, {
      ...(props.bucketName === undefined ? {} : { bucketName: props.bucketName }),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      ...(props.cors === undefined ? {} : { cors: [{ ...props.cors, maxAge: 3600 }] }), // seconds
      lifecycleRules: [...props.lifecycleRules],
      removalPolicy: props.data === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    Validations.of(this).acknowledge({ id: 'AwsSolutions-S1', reason: props.insteadOfAccessLog });
  }
}
