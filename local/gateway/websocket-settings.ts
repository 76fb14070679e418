import type { Clock } from '../clock.ts';
import type { InvokableFunction } from '../functions/invocation.ts';
import { GatewaySettingsError } from './gateway-error.ts';
import {
  MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS,
  MINIMUM_INTEGRATION_TIMEOUT_MS,
  RESERVED_PATHS,
} from './limits.ts';
import type { AuthorizeManagement } from './management-api.ts';
import type { Throttling } from './throttle.ts';

/** A Lambda authorizer (type REQUEST) of a WebSocket API; AWS runs it at `$connect` only (aws-facts 1.6). */
export interface WebSocketAuthorizer {
  readonly function: InvokableFunction;
  /**
   * `route.request.header.<Name>` and `route.request.querystring.<Name>`: one that is missing or empty is a
   * 401 without an invocation. With none the function is always invoked.
   */
  readonly identitySource: readonly string[];
}

/** A route with its Lambda proxy integration. */
export interface WebSocketRoute {
  /** `$connect`, `$disconnect`, `$default`, or a key of the application's own, without `$`. */
  readonly routeKey: string;
  readonly function: InvokableFunction;
  /** Of `$connect` only. */
  readonly authorizer?: WebSocketAuthorizer;
  /** Whether what the function returns goes back to the client (a RouteResponse exists; aws-facts 1.4). */
  readonly routeResponse?: boolean;
  /** 50 to 29,000 ms; the maximum unless told. */
  readonly integrationTimeoutMs?: number;
}

/** One stage of one WebSocket API, named as in CloudFormation. */
export interface WebSocketApiSettings {
  readonly apiId: string;
  readonly stageName: string;
  /** For example `$request.body.type`; see `parseRouteSelection`. */
  readonly routeSelectionExpression: string;
  readonly routes: readonly WebSocketRoute[];
  /** `DefaultRouteSettings` of the stage; without it nothing is throttled. */
  readonly throttling?: Throttling;
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly clock: Clock;
  /** Decides on every @connections call: no caller is trusted by default. */
  readonly authorizeManagement: AuthorizeManagement;
  readonly log: (line: string) => void;
  /** Bytes that may wait for a slow client before posts get 429; `CLIENT_BUFFER_BYTES` unless told. */
  readonly clientBufferBytes?: number;
}

const OWN_KEYS: readonly string[] = ['$connect', '$disconnect', '$default'];

/**
 * The routes by key, once all of them are ones that API Gateway would accept.
 *
 * @throws GatewaySettingsError that names the route and what is wrong with it
 */
export function checkedRoutes(settings: WebSocketApiSettings): ReadonlyMap<string, WebSocketRoute> {
  if (RESERVED_PATHS.includes(settings.stageName)) {
    throw new GatewaySettingsError(
      `/${settings.stageName} is reserved by API Gateway: name the stage otherwise`,
    );
  }
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(settings.stageName)) {
    throw new GatewaySettingsError(`"${settings.stageName}" is no name for a stage of a WebSocket API`);
  }
  const routes = new Map<string, WebSocketRoute>();
  for (const route of settings.routes) {
    const problem = routeProblem(route, routes.has(route.routeKey));
    if (problem !== undefined) throw new GatewaySettingsError(`Route "${route.routeKey}": ${problem}`);
    routes.set(route.routeKey, route);
  }
  return routes;
}

function routeProblem(route: WebSocketRoute, duplicate: boolean): string | undefined {
  const timeout = route.integrationTimeoutMs ?? MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS;
  if (duplicate) return 'there are two routes of this key';
  if (route.routeKey === '') return 'the key is empty';
  if (route.routeKey.startsWith('$') && !OWN_KEYS.includes(route.routeKey)) {
    return `a key that starts with "$" must be one of ${OWN_KEYS.join(', ')}`;
  }
  if (route.authorizer !== undefined && route.routeKey !== '$connect') {
    return 'an authorizer is possible on $connect only';
  }
  if (timeout < MINIMUM_INTEGRATION_TIMEOUT_MS || timeout > MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS) {
    return `TimeoutInMillis must be ${MINIMUM_INTEGRATION_TIMEOUT_MS} to ${MAXIMUM_WEBSOCKET_INTEGRATION_TIMEOUT_MS}, not ${timeout}`;
  }
  return undefined;
}
