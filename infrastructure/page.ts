import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  CachePolicy,
  Distribution,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  PriceClass,
  ResponseHeadersPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** Where the page lives: a private bucket behind CloudFront. What is in it comes later (page-content.ts). */
export class Page extends Construct {
  readonly bucket: Bucket;
  /** `https://…`, what a browser sends as `Origin`. */
  readonly origin: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.DESTROY, // the page can be built again at any time
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'Only CloudFront reads it, and what it holds is public.',
    });
    const distribution = new Distribution(this, 'Distribution', {
      comment: 'Jobwire: the dashboard',
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100, // a dashboard of a few people: the cheapest
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(this.bucket as IBucket), // it is one, but for exactOptionalPropertyTypes
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED, // compresses; heeds the files' own `no-cache`
        responseHeadersPolicy: this.responseHeaders(),
      },
    });
    acknowledgeFindings(distribution);
    this.origin = `https://${distribution.distributionDomainName}`;
  }

  private responseHeaders(): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, 'Headers', {
      comment: 'Jobwire: what the page cannot say in a meta element',
      securityHeadersBehavior: {
        // The page's own policy, in a meta element, names the origins of the APIs, which are made after the
        // distribution. Both policies must allow what happens, so this one adds only what a meta element cannot say.
        contentSecurityPolicy: { contentSecurityPolicy: "frame-ancestors 'none'", override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: Duration.days(365), override: true },
      },
      customHeadersBehavior: {
        customHeaders: [
          {
            header: 'Permissions-Policy',
            value: 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
            override: true,
          },
        ],
      },
    });
  }
}

function acknowledgeFindings(distribution: Distribution): void {
  Validations.of(distribution).acknowledge(
    {
      id: 'AwsSolutions-CFR1',
      reason: 'Whom the page is for is for whoever deploys it to say; nothing in it depends on a country.',
    },
    {
      id: 'AwsSolutions-CFR2',
      reason:
        'Static files behind a cache have nothing that a firewall could protect; the APIs are throttled.',
    },
    {
      id: 'AwsSolutions-CFR3',
      reason: 'Who loads a static page says nothing; what people do is in the access logs of the APIs.',
    },
    {
      id: 'AwsSolutions-CFR4',
      reason:
        'The certificate of cloudfront.net fixes the oldest TLS version; a domain name of one’s own, with its certificate, changes that.',
    },
  );
}
