import type { Clock } from '../clock.ts';
import { type AuthorizerContext, decideByPolicy, isRecord, readContext } from './authorizer-result.ts';
import { GatewaySettingsError } from './gateway-error.ts';
import { type HttpAuthorizerEvent, type HttpRequestFacts, routeArn } from './http-event.ts';
import type { HttpAuthorizer } from './http-settings.ts';
import { describeFailure, invokeWithin } from './integration.ts';
import { HTTP_AUTHORIZER_TIMEOUT_MS } from './limits.ts';

/** Whether a request goes on to its route; `reason` is for the log. */
export type HttpVerdict =
  | { readonly kind: 'allowed'; readonly context: AuthorizerContext | null }
  | { readonly kind: 'refused'; readonly statusCode: 401 | 403 | 500; readonly reason: string };

interface CachedPayload {
  readonly payload: unknown;
  readonly expiresAt: number;
}

/**
 * A Lambda authorizer of an HTTP API with its cache (APIGW:http-api-lambda-authorizer): 401 without an identity
 * or for a thrown "Unauthorized", 403 for a refusal, 500 for any other error, a malformed result, or silence
 * for ten seconds.
 */
export class HttpAuthorization {
  readonly #authorizer: HttpAuthorizer;
  readonly #clock: Clock;
  readonly #sources: readonly { readonly place: string; readonly name: string }[];
  readonly #cache = new Map<string, CachedPayload>();

  /** @throws GatewaySettingsError for an identity source of another form than header or query string */
  constructor(authorizer: HttpAuthorizer, clock: Clock) {
    this.#authorizer = authorizer;
    this.#clock = clock;
    this.#sources = authorizer.identitySource.map((source) => {
      const [, place, name] = /^\$request\.(header|querystring)\.(\S+)$/.exec(source) ?? [];
      if (place === undefined || name === undefined) {
        throw new GatewaySettingsError(
          `Identity source "${source}": expected $request.header.<Name> or $request.querystring.<Name>`,
        );
      }
      return { place, name };
    });
  }

  /** Decides on one request. Never rejects. */
  async decide(facts: HttpRequestFacts): Promise<HttpVerdict> {
    const identitySource: string[] = [];
    for (const { place, name } of this.#sources) {
      const value =
        place === 'header' ? facts.headers[name.toLowerCase()] : facts.queryStringParameters?.[name];
      if (value === undefined || value === '')
        return refused(401, `the ${place} ${name} is missing or empty`);
      identitySource.push(value);
    }
    const key = JSON.stringify(identitySource);
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.expiresAt > this.#clock.now())
      return this.#read(cached.payload, facts);
    const event: HttpAuthorizerEvent = {
      ...facts,
      type: 'REQUEST',
      routeArn: routeArn(facts),
      identitySource,
    };
    const { function: invokable, resultTtlSeconds = 0 } = this.#authorizer;
    const outcome = await invokeWithin(invokable, event, HTTP_AUTHORIZER_TIMEOUT_MS, this.#clock);
    if (outcome.kind !== 'returned') {
      const unauthorized = outcome.kind === 'failed' && outcome.error.errorMessage === 'Unauthorized';
      return refused(unauthorized ? 401 : 500, describeFailure(invokable, outcome));
    }
    if (resultTtlSeconds > 0 && identitySource.length > 0) {
      this.#cache.set(key, {
        payload: outcome.payload,
        expiresAt: this.#clock.now() + resultTtlSeconds * 1000,
      });
    }
    return this.#read(outcome.payload, facts);
  }

  #read(payload: unknown, facts: HttpRequestFacts): HttpVerdict {
    const { name } = this.#authorizer.function;
    if (!this.#authorizer.enableSimpleResponses) {
      const decision = decideByPolicy(payload, routeArn(facts));
      if (decision.kind === 'malformed')
        return refused(500, `${name} gave a malformed result: ${decision.problem}`);
      return decision.kind === 'denied' ? refused(403, `the policy of ${name} does not allow it`) : decision;
    }
    if (!isRecord(payload) || typeof payload['isAuthorized'] !== 'boolean') {
      return refused(500, `${name} gave a malformed result: isAuthorized must be true or false`);
    }
    const context = readContext(payload['context']);
    if (context === undefined) return refused(500, `${name} gave a context that is not flat`);
    if (!payload['isAuthorized']) return refused(403, `${name} does not authorize it`);
    return { kind: 'allowed', context: payload['context'] === undefined ? null : context };
  }
}

function refused(statusCode: 401 | 403 | 500, reason: string): HttpVerdict {
  return { kind: 'refused', statusCode, reason };
}
