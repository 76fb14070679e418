import { describe, expect, it } from 'vitest';
import { JOBS_SHAPE, SUBSCRIPTIONS_SHAPE } from '../table-shapes.ts';
import { SynthesizedStack } from './synthesized-stack.ts';

const stack = new SynthesizedStack();
const PAGE = 'https://<Page/Distribution.DomainName>';

describe('tables', () => {
  it('keeps jobs by id and by owner, forgets them in time, streams their images, and can go back in time', () => {
    expect(stack.properties('AWS::DynamoDB::Table', 'Jobs/Table')).toEqual({
      BillingMode: 'PAY_PER_REQUEST',
      ...JOBS_SHAPE,
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('keeps subscriptions by topic and by connection, and forgets them in time', () => {
    expect(stack.properties('AWS::DynamoDB::Table', 'Subscriptions/Table')).toEqual({
      BillingMode: 'PAY_PER_REQUEST',
      ...SUBSCRIPTIONS_SHAPE,
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });
});

describe('buckets', () => {
  it.each(['Page/Bucket', 'Uploads/Bucket', 'Results/Bucket'])(
    '%s is private, encrypted, and reached over TLS alone',
    (path) => {
      expect(stack.properties('AWS::S3::Bucket', path)).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
      });
      const policies = JSON.stringify(
        stack.readable(stack.properties('AWS::S3::BucketPolicy', `${path}/Policy`)),
      );
      expect(policies).toContain('"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"');
    },
  );

  it('takes uploads from the page, tells EventBridge, and clears up', () => {
    expect(stack.readable(stack.properties('AWS::S3::Bucket', 'Uploads/Bucket'))).toMatchObject({
      CorsConfiguration: {
        CorsRules: [
          {
            AllowedOrigins: [PAGE],
            AllowedMethods: ['PUT', 'POST'],
            AllowedHeaders: ['content-type', 'x-amz-*'],
            ExposedHeaders: ['ETag'],
          },
        ],
      },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LifecycleConfiguration: {
        Rules: [
          { Id: 'unfinished', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
          { Id: 'processed', Status: 'Enabled', ExpirationInDays: 7 },
        ],
      },
    });
  });

  it('gives results to the page, and clears up', () => {
    expect(stack.readable(stack.properties('AWS::S3::Bucket', 'Results/Bucket'))).toMatchObject({
      CorsConfiguration: { CorsRules: [{ AllowedOrigins: [PAGE], AllowedMethods: ['GET', 'HEAD'] }] },
      LifecycleConfiguration: { Rules: [{ Status: 'Enabled', ExpirationInDays: 7 }] },
    });
  });
});

describe('origins', () => {
  const allowed = (origins: string) => {
    const told = new SynthesizedStack({ origins });
    const properties = (type: string, path: string) =>
      told.readable(told.properties(type, path)) as Record<string, object>; // an object stays one
    const api = properties('AWS::ApiGatewayV2::Api', 'HttpApi/Api')['CorsConfiguration'];
    const rules = ['Uploads/Bucket', 'Results/Bucket'].map(
      (path) => properties('AWS::S3::Bucket', path)['CorsConfiguration'],
    );
    return [api, ...rules];
  };

  it('of other pages may call, upload and read results, where whoever deploys says so', () => {
    const origins = [PAGE, 'https://app.example.com', 'http://localhost:5173'];
    expect(allowed('https://app.example.com,http://localhost:5173')).toEqual([
      expect.objectContaining({ AllowOrigins: origins }),
      { CorsRules: [expect.objectContaining({ AllowedOrigins: origins })] },
      { CorsRules: [expect.objectContaining({ AllowedOrigins: origins })] },
    ]);
  });

  it('may be all, and never with credentials', () => {
    const [api, ...rules] = allowed('*');
    expect(api).toMatchObject({ AllowOrigins: ['*'] });
    expect(api).not.toHaveProperty('AllowCredentials');
    expect(rules).toMatchObject([
      { CorsRules: [{ AllowedOrigins: ['*'] }] },
      { CorsRules: [{ AllowedOrigins: ['*'] }] },
    ]);
  });
});

describe('data', () => {
  const DATA = ['Jobs/Table', 'Uploads/Bucket', 'Results/Bucket'];
  const policies = (from: SynthesizedStack) =>
    Object.entries({ ...from.ofType('AWS::DynamoDB::Table'), ...from.ofType('AWS::S3::Bucket') })
      .filter(([path]) => DATA.includes(path))
      .map(([, resource]) => resource.DeletionPolicy);

  it('is kept when the stack goes, unless whoever deploys says otherwise', () => {
    expect(policies(stack)).toEqual(['Retain', 'Retain', 'Retain']);
    expect(policies(new SynthesizedStack({ data: 'destroy' }))).toEqual(['Delete', 'Delete', 'Delete']);
  });
});

describe('signing secret', () => {
  it('is generated, and long enough', () => {
    expect(stack.properties('AWS::SecretsManager::Secret', 'SigningSecret/Secret')).toMatchObject({
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
    });
  });
});
