import { describe, expect, it } from 'vitest';
import { StartError } from '../../../local/errors.ts';
import { resolve, type Scope } from '../../../local/template/intrinsics.ts';

const scope: Scope = {
  reference(name) {
    if (name === 'Nothing') return undefined;
    if (name === 'Bucket') return 'the-bucket';
    throw new StartError(`unknown ${name}`);
  },
  attribute: (logicalId, name) => (name === 'Endpoint' ? '127.0.0.1:9000' : `${logicalId}#${name}`),
};

describe('resolve', () => {
  it('leaves plain values as they are', () => {
    expect(resolve({ a: [1, 'two', true, null], b: { c: 3 } }, scope)).toEqual({
      a: [1, 'two', true, null],
      b: { c: 3 },
    });
  });

  it.each([
    [{ Ref: 'Bucket' }, 'the-bucket'],
    [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'Bucket#Arn'],
    [{ 'Fn::GetAtt': 'Bucket.Arn' }, 'Bucket#Arn'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'Bucket' }, 3]] }, 'a-the-bucket-3'],
    [{ 'Fn::Sub': 'x/${Bucket}/${Bucket.Arn}/${!kept}' }, 'x/the-bucket/Bucket#Arn/${kept}'],
    [{ 'Fn::Sub': ['${Own}/${Bucket}', { Own: { Ref: 'Bucket' } }] }, 'the-bucket/the-bucket'],
    [{ 'Fn::Select': [1, ['a', { Ref: 'Bucket' }]] }, 'the-bucket'],
    [{ 'Fn::Split': ['-', { Ref: 'Bucket' }] }, ['the', 'bucket']],
  ])('resolves %j', (value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  it('leaves out what refers to no value', () => {
    expect(resolve({ list: ['a', { Ref: 'Nothing' }] }, scope)).toEqual({ list: ['a'] });
  });

  it('turns the secure URLs of resources into those that answer on this machine, and no others', () => {
    const url = (scheme: string) =>
      resolve({ 'Fn::Join': ['', [scheme, { 'Fn::GetAtt': ['Api', 'Endpoint'] }, '/v1']] }, scope);
    expect(url('https://')).toBe('http://127.0.0.1:9000/v1');
    expect(url('wss://')).toBe('ws://127.0.0.1:9000/v1');
    expect(resolve({ 'Fn::Join': ['', ['https://example.com']] }, scope)).toBe('https://example.com');
  });

  it('names a function that is not supported', () => {
    expect(() => resolve({ 'Fn::ImportValue': 'x' }, scope)).toThrow(/Fn::ImportValue/);
  });

  it('names what it cannot join', () => {
    expect(() => resolve({ 'Fn::Join': ['', [{ a: 1, b: 2 }]] }, scope)).toThrow(StartError);
  });
});
