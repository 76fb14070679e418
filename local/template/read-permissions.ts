import * as v from 'valibot';
import { ACCOUNT } from '../account.ts';
import { StartError } from '../errors.ts';
import { type PolicyStatement, parsePolicyDocument } from '../permissions/policy.ts';
import { readProperties, referenceOf, type Stack } from './properties.ts';
import { resourcesOfType } from './template.ts';

const InlinePolicySchema = v.object({ PolicyName: v.string(), PolicyDocument: v.unknown() });

const RoleSchema = v.strictObject({
  Policies: v.optional(v.array(InlinePolicySchema), []),
  ManagedPolicyArns: v.optional(v.array(v.string()), []),
});

const PolicySchema = v.strictObject({
  PolicyName: v.string(),
  PolicyDocument: v.unknown(),
  Roles: v.array(v.string()),
});

const LambdaPermissionSchema = v.strictObject({
  Action: v.literal('lambda:InvokeFunction'),
  FunctionName: v.string(),
  Principal: v.string(),
  SourceArn: v.optional(v.string()),
  SourceAccount: v.optional(v.string()),
});

/** The policy statements of each role, by the role's name. */
export function readRoleStatements(stack: Stack): ReadonlyMap<string, readonly PolicyStatement[]> {
  const statements = new Map<string, PolicyStatement[]>();
  for (const role of resourcesOfType(stack.template, 'AWS::IAM::Role')) {
    const { Policies } = readProperties(stack, role, RoleSchema, [
      'AssumeRolePolicyDocument',
      'Description',
      'RoleName',
      'Tags',
    ]);
    statements.set(
      referenceOf(stack, role.logicalId),
      Policies.flatMap((policy) => [...parsePolicyDocument(policy.PolicyName, policy.PolicyDocument)]),
    );
  }
  for (const policy of resourcesOfType(stack.template, 'AWS::IAM::Policy')) {
    const { PolicyName, PolicyDocument, Roles } = readProperties(stack, policy, PolicySchema);
    for (const role of Roles) statements.get(role)?.push(...parsePolicyDocument(PolicyName, PolicyDocument));
  }
  return statements;
}

/** Which services may invoke which functions: the template's `AWS::Lambda::Permission`s. */
export class InvokePermissions {
  readonly #permissions: readonly v.InferOutput<typeof LambdaPermissionSchema>[];

  constructor(stack: Stack) {
    this.#permissions = resourcesOfType(stack.template, 'AWS::Lambda::Permission').map((permission) =>
      readProperties(stack, permission, LambdaPermissionSchema),
    );
  }

  /**
   * Refuses what AWS would refuse at the first invocation.
   * @throws StartError that names caller and function.
   */
  require(service: 'apigateway' | 'events' | 'iot' | 's3', sourceArn: string, functionArn: string): void {
    const functionName = functionArn.split(':').at(-1);
    const granted = this.#permissions.some(
      (permission) =>
        (permission.FunctionName === functionArn || permission.FunctionName === functionName) &&
        permission.Principal === `${service}.amazonaws.com` &&
        (permission.SourceAccount === undefined || permission.SourceAccount === ACCOUNT) &&
        (permission.SourceArn === undefined || matches(permission.SourceArn, sourceArn)),
    );
    if (granted) return;
    throw new StartError(
      `${sourceArn} may not invoke ${functionArn}: the template has no AWS::Lambda::Permission for it, and AWS would refuse each invocation`,
    );
  }
}

/** Source ARNs match like policy resources: `*` any text, `?` any character. */
function matches(pattern: string, value: string): boolean {
  const expression = pattern
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${expression.join('')}$`, 's').test(value);
}
