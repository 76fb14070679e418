import { REGION } from '../../../local/account.ts';
import type { PolicyStatement } from '../../../local/permissions/policy.ts';
import {
  functionPrincipal,
  ownerPrincipal,
  type Principal,
  Principals,
} from '../../../local/permissions/principal.ts';

const ROOT_SECRET = 'the root secret of these tests';

export const owner = ownerPrincipal(ROOT_SECRET);

/** A function with one Allow of these actions on these resources. */
export function functionAllowed(
  functionName: string,
  actions: readonly string[],
  resources: readonly string[],
): Principal {
  return functionWith(functionName, [{ effect: 'Allow', actions, resources }]);
}

/** A function whose role has these statements. */
export function functionWith(functionName: string, statements: readonly PolicyStatement[]): Principal {
  return functionPrincipal({ functionName, rootSecret: ROOT_SECRET, statements });
}

/** All that the services are to know: the owner, and these. */
export function knowing(...principals: readonly Principal[]): Principals {
  return new Principals([owner, ...principals]);
}

/** The settings of an SDK client that calls as this principal. One attempt, so that a test sees each answer. */
export function callingAs(principal: Principal, endpoint: string) {
  const { accessKeyId, secretAccessKey } = principal;
  return { endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
}
