import { StartError } from '../errors.ts';

/** One IAM statement, resolved from the template: no intrinsics left, lists even where the template has one. */
export interface PolicyStatement {
  readonly effect: 'Allow' | 'Deny';
  /** Such as `dynamodb:PutItem`, `s3:Get*`. */
  readonly actions: readonly string[];
  /** ARNs, with `*` and `?` as wildcards. */
  readonly resources: readonly string[];
}

/** A policy says something that the local runtime cannot evaluate; half a policy is worse than none. */
export class UnsupportedPolicyError extends StartError {
  override readonly name = 'UnsupportedPolicyError';
}

/** What a statement may say. `Condition` is refused below: the closed list of supported conditions is empty. */
const SUPPORTED_KEYS: ReadonlySet<string> = new Set(['Sid', 'Effect', 'Action', 'Resource']);

/**
 * The statements of a policy document whose intrinsics are resolved already (`{Version, Statement}`).
 * `policyName` is for the error.
 *
 * @throws UnsupportedPolicyError for NotAction, NotResource, Condition, Principal and whatever is not IAM
 */
export function parsePolicyDocument(policyName: string, document: unknown): readonly PolicyStatement[] {
  if (!isRecord(document) || document['Statement'] === undefined) {
    throw new UnsupportedPolicyError(`Policy "${policyName}" has no Statement.`);
  }
  const statements = document['Statement'];
  return (Array.isArray(statements) ? statements : [statements]).map((statement: unknown, index) =>
    parseStatement(`Statement ${index + 1} of policy "${policyName}"`, statement),
  );
}

function parseStatement(where: string, statement: unknown): PolicyStatement {
  if (!isRecord(statement)) throw new UnsupportedPolicyError(`${where} is not an object.`);
  for (const key of Object.keys(statement)) {
    if (!SUPPORTED_KEYS.has(key)) {
      throw new UnsupportedPolicyError(
        `${where} has a ${key}, which the local runtime does not evaluate. Grant by Action and Resource, or teach local/permissions/policy.ts this element.`,
      );
    }
  }
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new UnsupportedPolicyError(`${where} has neither Effect "Allow" nor "Deny".`);
  }
  return {
    effect,
    actions: texts(`The Action of ${where}`, statement['Action']),
    resources: texts(`The Resource of ${where}`, statement['Resource']),
  };
}

function texts(where: string, value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === 'string') return item;
    throw new UnsupportedPolicyError(`${where} is not resolved to text: ${JSON.stringify(item)}.`);
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the statements say about one action on one resource. */
export type PolicyDecision = 'allowed' | 'implicitly-denied' | 'explicitly-denied';

/**
 * Evaluates identity-based policies as IAM does: an explicit Deny wins, and what nothing allows is denied
 * (IAM User Guide, reference_policies_evaluation-logic). Actions are compared without regard to case,
 * resources with it. A statement matches an action on "no particular resource" (`*`) only if it says `*`.
 */
export function decide(
  statements: readonly PolicyStatement[],
  action: string,
  resourceArn: string,
): PolicyDecision {
  let decision: PolicyDecision = 'implicitly-denied';
  for (const { effect, actions, resources } of statements) {
    if (!actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()))) continue;
    if (!resources.some((pattern) => matches(pattern, resourceArn))) continue;
    if (effect === 'Deny') return 'explicitly-denied';
    decision = 'allowed';
  }
  return decision;
}

const compiled = new Map<string, RegExp>();

function matches(pattern: string, text: string): boolean {
  if (pattern === '*') return true;
  if (!/[*?]/.test(pattern)) return pattern === text;
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    expression = new RegExp(`^${source}$`, 's');
    compiled.set(pattern, expression);
  }
  return expression.test(text);
}
