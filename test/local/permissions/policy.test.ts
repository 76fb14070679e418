import { describe, expect, it } from 'vitest';
import { decide, parsePolicyDocument, UnsupportedPolicyError } from '../../../local/permissions/policy.ts';

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/jobs';

describe('a policy document', () => {
  it('becomes statements with lists, whether it has lists or not', () => {
    const statements = parsePolicyDocument('Publish', {
      Version: '2012-10-17',
      Statement: { Sid: 'One', Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: [TABLE] },
    });
    expect(statements).toEqual([{ effect: 'Allow', actions: ['dynamodb:PutItem'], resources: [TABLE] }]);
  });

  it.each([
    ['NotAction', { Effect: 'Allow', NotAction: 's3:*', Resource: '*' }],
    ['NotResource', { Effect: 'Allow', Action: 's3:*', NotResource: '*' }],
    ['Condition', { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: { Bool: {} } }],
    ['Principal', { Effect: 'Allow', Action: 's3:*', Resource: '*', Principal: '*' }],
  ])('is refused for %s, and the error names policy and element', (element, statement) => {
    const parse = () => parsePolicyDocument('PublishRoleDefaultPolicy', { Statement: [statement] });
    expect(parse).toThrow(UnsupportedPolicyError);
    expect(parse).toThrow(new RegExp(`PublishRoleDefaultPolicy.*${element}`));
  });

  it.each([
    ['no statement', {}],
    ['no document', undefined],
    [
      'an intrinsic that is not resolved',
      { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: { Ref: 'X' } }] },
    ],
    ['no effect', { Statement: [{ Action: 's3:*', Resource: '*' }] }],
    ['no action', { Statement: [{ Effect: 'Allow', Resource: '*' }] }],
  ])('is refused for %s', (_name, document) => {
    expect(() => parsePolicyDocument('P', document)).toThrow(UnsupportedPolicyError);
  });
});

describe('a decision', () => {
  const allow = (action: string, resource: string) => ({
    effect: 'Allow' as const,
    actions: [action],
    resources: [resource],
  });

  it('is no, unless something allows', () => {
    expect(decide([], 'dynamodb:PutItem', TABLE)).toBe('implicitly-denied');
    expect(decide([allow('dynamodb:GetItem', TABLE)], 'dynamodb:PutItem', TABLE)).toBe('implicitly-denied');
    expect(decide([allow('dynamodb:PutItem', TABLE)], 'dynamodb:PutItem', `${TABLE}s`)).toBe(
      'implicitly-denied',
    );
    expect(decide([allow('dynamodb:PutItem', TABLE)], 'dynamodb:PutItem', TABLE)).toBe('allowed');
  });

  it('follows an explicit Deny, wherever it stands', () => {
    const deny = { effect: 'Deny' as const, actions: ['dynamodb:Put*'], resources: ['*'] };
    const permit = allow('*', '*');
    expect(decide([permit, deny], 'dynamodb:PutItem', TABLE)).toBe('explicitly-denied');
    expect(decide([deny, permit], 'dynamodb:PutItem', TABLE)).toBe('explicitly-denied');
    expect(decide([deny, permit], 'dynamodb:GetItem', TABLE)).toBe('allowed');
  });

  it('knows * and ?, and takes everything else as it is written', () => {
    expect(decide([allow('s3:Get*', 'arn:aws:s3:::up/*')], 's3:GetObject', 'arn:aws:s3:::up/a/b\nc')).toBe(
      'allowed',
    );
    expect(decide([allow('s3:GetObjec?', '*')], 's3:GetObject', 'x')).toBe('allowed');
    expect(decide([allow('s3:GetObjec?', '*')], 's3:GetObjec', 'x')).toBe('implicitly-denied');
    expect(decide([allow('s3:*', 'arn:aws:s3:::a.b/*')], 's3:GetObject', 'arn:aws:s3:::axb/k')).toBe(
      'implicitly-denied',
    );
  });

  it('compares actions without regard to case, resources with it', () => {
    expect(decide([allow('dynamodb:putitem', '*')], 'dynamodb:PutItem', TABLE)).toBe('allowed');
    expect(decide([allow('*', 'arn:aws:s3:::Up/*')], 's3:GetObject', 'arn:aws:s3:::up/k')).toBe(
      'implicitly-denied',
    );
  });
});
