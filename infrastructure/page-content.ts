import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import type { PageBundle } from './bundles.ts';
import type { Page } from './page.ts';

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
    new BucketDeployment(this, 'Deployment', {
      sources: [Source.asset(props.bundle.assets), Source.data('index.html', index)],
      destinationBucket: props.page.bucket as IBucket, // it is one, but for exactOptionalPropertyTypes
      // A few kilobytes, asked for again by their entity tags: a new version is seen at once, and no
      // invalidation (with its grant on every distribution of the account) is needed.
      cacheControl: [CacheControl.noCache()],
      retainOnDelete: false, // an empty bucket can be deleted with the stack
      memoryLimit: 256, // MB
      logGroup: new LogGroup(this, 'Log', {
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    });
  }
}
