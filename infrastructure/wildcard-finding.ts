import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/**
 * The id under which cdk-nag reports a resource of an IAM statement that has a wildcard:
 * `AwsSolutions-IAM5[Resource::<JobsTable1A2B.Arn>/index/*]`, with references in angle brackets, and as JSON what it
 * does not know (its utils/flatten-cfn-reference.js).
 */
export function wildcardFinding(scope: Construct, arn: string): string {
  return `AwsSolutions-IAM5[Resource::${flatten(Stack.of(scope).resolve(arn))}]`;
}

function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    if ('Ref' in value) return `<${value.Ref}>`;
    if ('Fn::GetAtt' in value && Array.isArray(value['Fn::GetAtt']))
      return `<${value['Fn::GetAtt'].join('.')}>`;
    if ('Fn::Join' in value && Array.isArray(value['Fn::Join'])) {
      const [delimiter, parts]: unknown[] = value['Fn::Join'];
      if (typeof delimiter === 'string' && Array.isArray(parts)) return parts.map(flatten).join(delimiter);
    }
    if ('Fn::Select' in value) return JSON.stringify(value);
  }
  throw new TypeError(`An ARN cannot hold ${JSON.stringify(value)}`);
}
