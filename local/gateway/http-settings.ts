import type { Clock } from '../clock.ts';
import type { InvokableFunction } from '../functions/invocation.ts';
import type { CorsConfiguration } from './cors.ts';
import type { Throttling } from './throttle.ts';

/** A Lambda authorizer (payload format 2.0) of an HTTP API. Routes that are given the same object share its cache. */
export interface HttpAuthorizer {
  readonly function: InvokableFunction;
  /** `$request.header.<Name>` and `$request.querystring.<Name>`: one missing is a 401 without an invocation. */
  readonly identitySource: readonly string[];
  /** `{isAuthorized, context}` instead of an IAM policy. */
  readonly enableSimpleResponses: boolean;
  /** `AuthorizerResultTtlInSeconds`: how long a result counts for the same identity; 0 or absent caches nothing. */
  readonly resultTtlSeconds?: number;
}

/** A route with its Lambda proxy integration, payload format 2.0. */
export interface HttpRoute {
  /** `GET /jobs/{id}`, `ANY /files/{path+}`, or `$default`. */
  readonly routeKey: string;
  readonly function: InvokableFunction;
  readonly authorizer?: HttpAuthorizer;
  /** Up to 30,000 ms, which it is unless told. */
  readonly integrationTimeoutMs?: number;
}

/** One stage of one HTTP API, named as in CloudFormation. */
export interface HttpApiSettings {
  readonly apiId: string;
  /** `$default`, or a name that then begins every path. */
  readonly stageName: string;
  readonly routes: readonly HttpRoute[];
  readonly cors?: CorsConfiguration;
  /** `DefaultRouteSettings` of the stage; without it nothing is throttled. */
  readonly throttling?: Throttling;
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}
