import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DataBucket } from './data-bucket.ts';
import type { NodeFunction } from './node-function.ts';
import type { Workspace, WorkspaceUse } from './workspace.ts';

/** `processing=step-functions`: a bucket of its own, of plans and partial profiles. Each step fetches the upload itself. */
export class WorkspaceBucket extends Construct implements Workspace {
  readonly variables: Workspace['variables'];
  private readonly bucket: DataBucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bucket = new DataBucket(this, 'Bucket', {
      data: 'destroy', // nothing in it is of use without its execution
      // Executions remove their files. What is left because that failed, too, is a day old at the most.
      lifecycleRules: [{ id: 'left', expiration: Duration.days(1) }],
      insteadOfAccessLog: 'Only the steps of workflows have access, and their history tells which ran when.',
    });
    this.variables = { workspaceBucket: this.bucket.bucketName };
  }

  allow(step: NodeFunction, ...uses: readonly WorkspaceUse[]): void {
    const actions = { read: 's3:GetObject', write: 's3:PutObject', remove: 's3:DeleteObject' } as const;
    for (const use of uses) step.allowKeys(actions[use], this.bucket, '');
    // To find the files of an execution; and without it, S3 answers 403 instead of 404 where a file is missing.
    if (uses.includes('read') || uses.includes('remove')) {
      step.allow(['s3:ListBucket'], [this.bucket.bucketArn]);
    }
  }
}
