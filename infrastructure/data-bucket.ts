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

/** What differs between the buckets of what users own. */
export interface DataBucketProps extends Pick<Settings, 'data'> {
  /** Its name, where others must know it before the bucket is there; without, CloudFormation makes one up. */
  readonly bucketName?: string;
  /** Whose scripts may reach it, `https://…`; `*` is everybody's. */
  readonly origins: readonly string[];
  /** What these scripts may do. */
  readonly cors: Omit<CorsRule, 'allowedOrigins' | 'maxAge'>;
  /** When objects go. */
  readonly lifecycleRules: readonly LifecycleRule[];
  /** Where else it is written down who did what: these buckets keep no access log of their own. */
  readonly insteadOfAccessLog: string;
}

/** A bucket of what users own: private, encrypted, reached over TLS alone, by URLs that functions sign. */
export class DataBucket extends Bucket {
  constructor(scope: Construct, id: string, props: DataBucketProps) {
    super(scope, id, {
      ...(props.bucketName === undefined ? {} : { bucketName: props.bucketName }),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      cors: [{ ...props.cors, allowedOrigins: [...props.origins], maxAge: 3600 }], // seconds
      lifecycleRules: [...props.lifecycleRules],
      removalPolicy: props.data === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-S1',
      reason: `A server access log holds the query strings of presigned URLs. ${props.insteadOfAccessLog}`,
    });
  }
}
