import { Duration } from 'aws-cdk-lib';
import { type Bucket, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { DataBucket } from './data-bucket.ts';
import type { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';

/** What the results bucket depends on. */
export interface ResultsProps extends Pick<Settings, 'data'> {
  /** Whose scripts may read results, `https://…`; `*` is everybody's. */
  readonly origins: readonly string[];
}

/** The bucket of results: written by processors, read through short-lived URLs. */
export class Results extends Construct {
  readonly bucket: Bucket;
  /** The prefix of every key. */
  readonly prefix = 'results/';

  constructor(scope: Construct, id: string, props: ResultsProps) {
    super(scope, id);
    this.bucket = new DataBucket(this, 'Bucket', {
      data: props.data,
      cors: {
        allowedOrigins: [...props.origins],
        allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
        allowedHeaders: ['range'],
      },
      lifecycleRules: [{ id: 'old', expiration: Duration.days(7) }], // as long as the job that links to it
      insteadOfAccessLog:
        'It would hold the query strings of presigned URLs. Who fetched which result is in the API access log, which has none.',
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
