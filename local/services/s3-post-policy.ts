import { isRecord } from './json-service.ts';
import { S3Refusal } from './s3-refusal.ts';

/** What a POST policy allows to be uploaded. */
export interface PostPolicy {
  /** Milliseconds since the epoch. */
  readonly expiration: number;
  readonly conditions: readonly PostCondition[];
}

/** One condition; field names are in lower case. */
export type PostCondition =
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: string }
  | { readonly kind: 'content-length-range'; readonly minimum: number; readonly maximum: number };

/** Fields that need no condition (S3 API, sigv4-HTTPPOSTConstructPolicy). */
const FREE_FIELDS: ReadonlySet<string> = new Set([
  'x-amz-signature',
  'signature',
  'policy',
  'file',
  'bucket',
]);

/**
 * Reads a policy as it stands in the form: JSON in base64.
 *
 * @throws S3Refusal if it is none
 */
export function parsePostPolicy(base64: string): PostPolicy {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch (cause) {
    throw new S3Refusal('InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.', {}, { cause });
  }
  if (!isRecord(value)) throw invalid('it is not an object');
  const expiration = Date.parse(String(value['expiration']));
  if (Number.isNaN(expiration)) throw invalid("'expiration' is missing or no date");
  const conditions = value['conditions'];
  if (!Array.isArray(conditions)) throw invalid("'conditions' is missing");
  return { expiration, conditions: conditions.flatMap(parseCondition) };
}

function parseCondition(condition: unknown): readonly PostCondition[] {
  if (isRecord(condition)) {
    return Object.entries(condition).map(([field, value]) => ({
      kind: 'eq',
      field: field.toLowerCase(),
      value: String(value),
    }));
  }
  if (!Array.isArray(condition) || condition.length !== 3)
    throw invalid('a condition is neither pair nor triple');
  const [operator, first, second]: readonly unknown[] = condition;
  const kind = String(operator).toLowerCase();
  if (kind === 'content-length-range') {
    const minimum = Number(first);
    const maximum = Number(second);
    if (!Number.isSafeInteger(minimum) || !Number.isSafeInteger(maximum))
      throw invalid('a size is no number');
    return [{ kind, minimum, maximum }];
  }
  if ((kind !== 'eq' && kind !== 'starts-with') || !String(first).startsWith('$')) {
    throw invalid(`unknown condition ${String(operator)}`);
  }
  return [{ kind, field: String(first).slice(1).toLowerCase(), value: String(second) }];
}

/**
 * Checks a form against its policy: not expired, every condition met, every field covered by a condition.
 * `fields` has the names in lower case and, as `bucket`, the bucket that was posted to.
 *
 * @returns the sizes that are allowed, if the policy limits them
 * @throws S3Refusal, 403 "Invalid according to Policy" (aws-facts 4)
 */
export function checkPostPolicy(
  policy: PostPolicy,
  fields: ReadonlyMap<string, string>,
  now: number,
): { readonly minimum: number; readonly maximum: number } | undefined {
  if (now > policy.expiration) throw denied('Policy expired.');
  let range: { minimum: number; maximum: number } | undefined;
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      const { minimum, maximum } = condition;
      range = {
        minimum: Math.max(minimum, range?.minimum ?? 0),
        maximum: Math.min(maximum, range?.maximum ?? maximum),
      };
      continue;
    }
    covered.add(condition.field);
    if (!isMet(condition, fields.get(condition.field) ?? '')) {
      const { kind, field, value } = condition;
      throw denied(`Policy Condition failed: ${JSON.stringify([kind, `$${field}`, value])}`);
    }
  }
  for (const field of fields.keys()) {
    if (!covered.has(field) && !FREE_FIELDS.has(field) && !field.startsWith('x-ignore-')) {
      throw denied(`Extra input fields: ${field}`);
    }
  }
  return range;
}

/** `starts-with` of a Content-Type looks at every item of a list with commas. */
function isMet(
  { kind, field, value }: Extract<PostCondition, { kind: 'eq' | 'starts-with' }>,
  actual: string,
): boolean {
  if (kind === 'eq') return actual === value;
  if (field === 'content-type') return actual.split(',').every((item) => item.trim().startsWith(value));
  return actual.startsWith(value);
}

function denied(why: string): S3Refusal {
  return new S3Refusal('AccessDenied', `Invalid according to Policy: ${why}`);
}

function invalid(why: string): S3Refusal {
  return new S3Refusal('InvalidPolicyDocument', `Invalid Policy: ${why}.`);
}
