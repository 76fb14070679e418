import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.ts';
import { denial, type Principals } from './principal.ts';
import { authenticate, type SignatureRefusal } from './signature.ts';

/** An @connections call as the gateway hands it over. */
export interface ManagementCall {
  readonly method: string;
  /** Path and query as sent, not decoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly action: 'execute-api:ManageConnections';
  /** `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/@connections/<id>` (aws-facts 2). */
  readonly resource: string;
}

/** What API Gateway says to a request that is not signed as it should be (APIGW:supported-gateway-response-types). */
const SENTENCES: Readonly<Record<SignatureRefusal, string>> = {
  missing: 'Missing Authentication Token',
  malformed: 'Authorization header is malformed; sign the request with AWS Signature Version 4.',
  'unknown-access-key': 'The security token included in the request is invalid.',
  'signature-mismatch':
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
  skewed: 'Signature expired',
  expired: 'Signature expired',
  'unsigned-headers': 'There were headers present in the request which were not signed',
};

/** Decides on @connections calls: SigV4 first, then `execute-api:ManageConnections` on the connection. */
export function managementAuthorizer(
  principals: Principals,
  clock: Clock,
): (call: ManagementCall) => 'allowed' | { readonly refused: string } {
  return (call) => {
    const caller = authenticate(call, principals, { service: 'other', now: clock.now() });
    if (caller.kind === 'refused') return { refused: SENTENCES[caller.refusal] };
    const refused = denial(caller.principal, call.action, call.resource);
    return refused === undefined ? 'allowed' : { refused };
  };
}
