import { MAXIMUM_AUTHORIZER_RESULT_BYTES } from './limits.ts';

/** `principalId` and the context of an authorizer: flat, and nothing but text, numbers and booleans. */
export type AuthorizerContext = Readonly<Record<string, string | number | boolean>>;

/** What an authorizer's result means for one ARN. */
export type AuthorizerDecision =
  | { readonly kind: 'allowed'; readonly context: AuthorizerContext }
  | { readonly kind: 'denied'; readonly context: AuthorizerContext }
  | { readonly kind: 'malformed'; readonly problem: string };

/**
 * Reads the IAM policy form, `{principalId, policyDocument, context?}`, and decides for `methodArn`: an
 * explicit Deny wins, an Allow is needed, `*` and `?` are wildcards (APIGW:api-gateway-lambda-authorizer-output;
 * aws-facts 1.5, 1.6). More than 8 KB, a missing principal, a context value that is an object, or a policy
 * that cannot be read is malformed.
 */
export function decideByPolicy(payload: unknown, methodArn: string): AuthorizerDecision {
  const size = Buffer.byteLength(JSON.stringify(payload) ?? '');
  if (size > MAXIMUM_AUTHORIZER_RESULT_BYTES) {
    return malformed(`the result has ${size} bytes, more than ${MAXIMUM_AUTHORIZER_RESULT_BYTES}`);
  }
  if (!isRecord(payload)) return malformed('the result is not an object');
  const { principalId, policyDocument } = payload;
  if (typeof principalId !== 'string' || principalId === '') return malformed('principalId is missing');
  const context = readContext(payload['context']);
  if (context === undefined) {
    return malformed('context must be a flat object of strings, numbers and booleans');
  }
  const effect = evaluatePolicy(policyDocument, methodArn);
  if (typeof effect !== 'boolean') return malformed(effect.problem);
  return { kind: effect ? 'allowed' : 'denied', context: { principalId, ...context } };
}

/** The context of an authorizer's result; `{}` if it has none, undefined if it is not allowed to look so. */
export function readContext(context: unknown): AuthorizerContext | undefined {
  if (context === undefined || context === null) return {};
  if (!isRecord(context)) return undefined;
  const flat: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(context)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      flat[key] = value;
    else return undefined;
  }
  return flat;
}

/** Whether `value` is an object with named members, so neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(problem: string): AuthorizerDecision {
  return { kind: 'malformed', problem };
}

function evaluatePolicy(document: unknown, methodArn: string): boolean | { readonly problem: string } {
  if (!isRecord(document)) return { problem: 'policyDocument is missing' };
  const statements = Array.isArray(document['Statement']) ? document['Statement'] : [document['Statement']];
  let allowed = false;
  for (const statement of statements) {
    if (!isRecord(statement)) return { problem: 'policyDocument.Statement is missing or not an object' };
    for (const element of ['Condition', 'NotAction', 'NotResource']) {
      // Not evaluated here; to ignore one could allow what AWS denies.
      if (element in statement) return { problem: `${element} in a policy is not supported locally` };
    }
    const { Effect: effect } = statement;
    const actions = textList(statement['Action']);
    const resources = textList(statement['Resource']);
    if (effect !== 'Allow' && effect !== 'Deny') return { problem: 'Effect must be "Allow" or "Deny"' };
    if (actions === undefined) return { problem: 'Action must be text or a list of texts' };
    if (resources === undefined) return { problem: 'Resource must be text or a list of texts' };
    const applies =
      actions.some((pattern) => matches(pattern.toLowerCase(), 'execute-api:invoke')) &&
      resources.some((pattern) => matches(pattern, methodArn));
    if (applies && effect === 'Deny') return false;
    allowed ||= applies;
  }
  return allowed;
}

function textList(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  return undefined;
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
