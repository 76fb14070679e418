import type { Clock } from '../clock.ts';
import { type AuthorizerContext, decideByPolicy } from './authorizer-result.ts';
import { GatewaySettingsError } from './gateway-error.ts';
import type { Handshake } from './handshake.ts';
import { describeFailure, invokeWithin } from './integration.ts';
import { MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS } from './limits.ts';
import type { WebSocketAuthorizerEvent } from './websocket-events.ts';
import type { WebSocketAuthorizer } from './websocket-settings.ts';

/** Whether a handshake goes on to `$connect`; `reason` is for the log, the client learns the status alone. */
export type ConnectVerdict =
  | { readonly kind: 'allowed'; readonly context: AuthorizerContext }
  | { readonly kind: 'refused'; readonly statusCode: 401 | 403 | 500; readonly reason: string };

/** An authorizer whose identity sources were read: `missing` names the first that a handshake lacks. */
export interface IdentitySources {
  missing(handshake: Handshake): string | undefined;
}

/**
 * Reads `route.request.header.<Name>` (any case) and `route.request.querystring.<Name>` (exact case).
 *
 * @throws GatewaySettingsError on another form (stage variables and `context.` are not supported here)
 */
export function parseIdentitySources(sources: readonly string[]): IdentitySources {
  const parsed = sources.map((source) => {
    const match = /^route\.request\.(header|querystring)\.(\S+)$/.exec(source);
    const [, place, name] = match ?? [];
    if (place === undefined || name === undefined) {
      throw new GatewaySettingsError(
        `Identity source "${source}": expected route.request.header.<Name> or route.request.querystring.<Name>`,
      );
    }
    return { source, place, name };
  });
  return {
    missing: (handshake) =>
      parsed.find(({ place, name }) =>
        place === 'header' ? !hasHeader(handshake, name) : !handshake.query.get(name)?.some(isFilled),
      )?.source,
  };
}

/**
 * Asks the authorizer (APIGW:apigateway-websocket-api-lambda-auth; aws-facts 1.5, 1.6). 401: an identity
 * source is missing or empty (no invocation), or the function threw exactly "Unauthorized". 403: the policy
 * does not allow `methodArn`. 500: any other error, or a malformed result. Nothing is cached: a WebSocket API
 * has no cache of authorizer results.
 */
export async function authorizeConnect(
  authorizer: WebSocketAuthorizer,
  sources: IdentitySources,
  handshake: Handshake,
  event: WebSocketAuthorizerEvent,
  clock: Clock,
): Promise<ConnectVerdict> {
  const missing = sources.missing(handshake);
  if (missing !== undefined) return refused(401, `the identity source ${missing} is missing or empty`);
  const timeoutMs = MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS;
  const outcome = await invokeWithin(authorizer.function, event, timeoutMs, clock);
  if (outcome.kind !== 'returned') {
    const unauthorized = outcome.kind === 'failed' && outcome.error.errorMessage === 'Unauthorized';
    return refused(unauthorized ? 401 : 500, describeFailure(authorizer.function, outcome));
  }
  const decision = decideByPolicy(outcome.payload, event.methodArn);
  if (decision.kind === 'malformed') {
    return refused(500, `${authorizer.function.name} gave a malformed result: ${decision.problem}`);
  }
  if (decision.kind === 'denied') return refused(403, `the policy does not allow ${event.methodArn}`);
  return decision;
}

function refused(statusCode: 401 | 403 | 500, reason: string): ConnectVerdict {
  return { kind: 'refused', statusCode, reason };
}

function hasHeader(handshake: Handshake, name: string): boolean {
  for (const [key, values] of handshake.headers) {
    if (key.toLowerCase() === name.toLowerCase() && values.some(isFilled)) return true;
  }
  return false;
}

function isFilled(value: string): boolean {
  return value.trim() !== '';
}
