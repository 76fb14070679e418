import { Aws, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import type { PageBundle } from './bundles.ts';
import type { Page } from './page.ts';
import { wildcardFinding } from './wildcard-finding.ts';

/** What the content of the page depends on. */
export interface PageContentProps {
  readonly bundle: PageBundle;
  readonly page: Page;
  /** `https://…`, the HTTP API. */
  readonly apiUrl: string;
  /** Origins that the page's scripts may talk to, the API's included. */
  readonly connectSources: readonly string[];
}

/** The files of the page, and index.html with the URLs that are known only when everything is deployed. */
export class PageContent extends Construct {
  constructor(scope: Construct, id: string, props: PageContentProps) {
    super(scope, id);
    const index = props.bundle.index
      .replaceAll('{{api}}', props.apiUrl)
      .replaceAll('{{connect-sources}}', props.connectSources.join(' '));
    const logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new BucketDeployment(this, 'Deployment', {
      sources: [Source.asset(props.bundle.assets), Source.data('index.html', index)],
      destinationBucket: props.page.bucket as IBucket, // it is one, but for exactOptionalPropertyTypes
      // A few kilobytes, asked for again by their entity tags: a new version is seen at once, and no
      // invalidation (with its grant on every distribution of the account) is needed.
      cacheControl: [CacheControl.noCache()],
      retainOnDelete: false, // only an empty bucket can be deleted with the stack
      memoryLimit: 256, // MB: the AWS CLI, which does the copying, barely starts in the default 128
      role: this.role(logGroup, props.page),
      logGroup,
    });
    const [copier] = Stack.of(this).node.children.filter((child) =>
      child.node.id.startsWith('Custom::CDKBucketDeployment'),
    );
    if (copier === undefined)
      throw new TypeError('The CDK keeps the function of bucket deployments elsewhere');
    Validations.of(copier).acknowledge({
      id: 'AwsSolutions-L1',
      reason: 'The function is the CDK’s own, and so is the choice of its runtime.',
    });
  }

  /** A role of our own, because the CDK's carries a managed policy; what it may do with buckets the CDK adds. */
  private role(logGroup: LogGroup, page: Page): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    const reason = 'The CDK grants its own function to read assets and to write the page, while it deploys.';
    const assets = `arn:${Aws.PARTITION}:s3:::cdk-hnb659fds-assets-${Aws.ACCOUNT_ID}-${Aws.REGION}/*`;
    const findings = [
      ...['s3:GetObject*', 's3:GetBucket*', 's3:List*', 's3:DeleteObject*', 's3:Abort*'].map(
        (action) => `AwsSolutions-IAM5[Action::${action}]`,
      ),
      wildcardFinding(this, assets),
      wildcardFinding(this, page.bucket.arnForObjects('*')),
    ];
    Validations.of(role).acknowledge(...findings.map((id) => ({ id, reason })));
    return role;
  }
}
