import { createHash, createHmac } from 'node:crypto';
import { ACCOUNT } from '../account.ts';
import { decide, type PolicyDecision, type PolicyStatement } from './policy.ts';

/** Who calls: a function with the policies of its role, or the runtime itself. */
export interface Principal {
  /** Letters and digits only: DynamoDB Local refuses others. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly functionName: string;
  /** All statements of all policies of the function's role. */
  readonly statements: readonly PolicyStatement[];
}

/** The name of the principal that the runtime itself uses; it may do everything. */
export const OWNER_NAME = 'local-administrator';

/**
 * The principal of one function. The access key id follows from the function's name alone. The secret follows
 * from the name and from `rootSecret`, which the runtime keeps with its state: a URL that was presigned before
 * a restart stays good after it.
 */
export function functionPrincipal(settings: {
  readonly functionName: string;
  readonly rootSecret: string;
  readonly statements: readonly PolicyStatement[];
}): Principal {
  const { functionName, rootSecret, statements } = settings;
  return { ...credentialsOf(functionName, rootSecret), functionName, statements };
}

/** The principal that the runtime itself uses (event source mappings, creation of tables). */
export function ownerPrincipal(rootSecret: string): Principal {
  return {
    ...credentialsOf(OWNER_NAME, rootSecret),
    functionName: OWNER_NAME,
    statements: [{ effect: 'Allow', actions: ['*'], resources: ['*'] }],
  };
}

function credentialsOf(name: string, rootSecret: string): Pick<Principal, 'accessKeyId' | 'secretAccessKey'> {
  // 20 characters that begin with AKIA, as the id of a long-term access key does.
  const digest = createHash('sha256').update(name).digest('hex').toUpperCase();
  return {
    accessKeyId: `AKIA${digest.slice(0, 16)}`,
    // 40 characters, as AWS gives.
    secretAccessKey: createHmac('sha256', rootSecret).update(name).digest('base64').slice(0, 40),
  };
}

/** Every principal there is, by access key id. `replace` follows a changed template. */
export class Principals {
  #byAccessKeyId: ReadonlyMap<string, Principal> = new Map();

  constructor(principals: Iterable<Principal>) {
    this.replace(principals);
  }

  /** Forgets all principals and knows these. */
  replace(principals: Iterable<Principal>): void {
    this.#byAccessKeyId = new Map([...principals].map((principal) => [principal.accessKeyId, principal]));
  }

  find(accessKeyId: string): Principal | undefined {
    return this.#byAccessKeyId.get(accessKeyId);
  }
}

/** Whether a principal may do something: an explicit Deny wins, what nothing allows is denied. */
export function isAllowed(principal: Principal, action: string, resourceArn: string): boolean {
  return decide(principal.statements, action, resourceArn) === 'allowed';
}

/** The ARN under which AWS would know the caller, without the session's name. */
export function principalArn(principal: Principal): string {
  return `arn:aws:sts::${ACCOUNT}:assumed-role/${principal.functionName}`;
}

/**
 * The sentence with which AWS denies, or undefined if the action is allowed. The wording is the one of AWS
 * (IAM User Guide, troubleshoot_access-denied), so that what one finds about it elsewhere applies.
 */
export function denial(principal: Principal, action: string, resourceArn: string): string | undefined {
  const decision: PolicyDecision = decide(principal.statements, action, resourceArn);
  if (decision === 'allowed') return undefined;
  const why =
    decision === 'explicitly-denied'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  return `User: ${principalArn(principal)} is not authorized to perform: ${action} on resource: ${resourceArn} ${why}`;
}
