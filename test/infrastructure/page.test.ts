import { describe, expect, it } from 'vitest';
import { SynthesizedStack } from './synthesized-stack.ts';

const stack = new SynthesizedStack();

describe('page', () => {
  it('is served by CloudFront alone, over TLS alone', () => {
    const distribution = stack.readable(
      stack.properties('AWS::CloudFront::Distribution', 'Page/Distribution'),
    );
    expect(distribution).toMatchObject({
      DistributionConfig: {
        DefaultRootObject: 'index.html',
        DefaultCacheBehavior: {
          ViewerProtocolPolicy: 'redirect-to-https',
          ResponseHeadersPolicyId: '<Page/Headers>',
        },
        Origins: [
          {
            DomainName: '<Page/Bucket.RegionalDomainName>',
            OriginAccessControlId: '<Page/Distribution/Origin1/S3OriginAccessControl.Id>',
          },
        ],
      },
    });
  });

  it('says in headers what a meta element cannot say, and nothing that would undo the page’s own policy', () => {
    expect(stack.properties('AWS::CloudFront::ResponseHeadersPolicy', 'Page/Headers')).toMatchObject({
      ResponseHeadersPolicyConfig: {
        SecurityHeadersConfig: {
          ContentSecurityPolicy: { ContentSecurityPolicy: "frame-ancestors 'none'", Override: true },
          ContentTypeOptions: { Override: true },
          FrameOptions: { FrameOption: 'DENY', Override: true },
          ReferrerPolicy: { ReferrerPolicy: 'no-referrer', Override: true },
          StrictTransportSecurity: { AccessControlMaxAgeSec: 31_536_000, Override: true },
        },
        CustomHeadersConfig: { Items: [{ Header: 'Permissions-Policy', Override: true }] },
      },
    });
  });

  it('knows the URLs of what it talks to when it is deployed', () => {
    const content = stack.readable(
      stack.properties('Custom::CDKBucketDeployment', 'PageContent/Deployment/CustomResource-256MiB/Default'),
    );
    expect(content).toMatchObject({
      DestinationBucketName: '<Page/Bucket>',
      SystemMetadata: { 'cache-control': 'no-cache' },
      RetainOnDelete: false,
      SourceMarkers: [
        {},
        {
          '<<marker:0xbaba:0>>': '<HttpApi/Api.ApiEndpoint>',
          '<<marker:0xbaba:1>>': '<HttpApi/Api.ApiEndpoint>',
          '<<marker:0xbaba:2>>': '<SocketApi/Api.ApiEndpoint>',
          '<<marker:0xbaba:3>>': '<Uploads/Bucket.RegionalDomainName>',
          '<<marker:0xbaba:4>>': '<Results/Bucket.RegionalDomainName>',
        },
      ],
    });
  });
});
