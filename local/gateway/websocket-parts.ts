import { parseRouteSelection, type RouteSelection } from './route-selection.ts';
import { RouteThrottle } from './throttle.ts';
import { type IdentitySources, parseIdentitySources } from './websocket-authorizer.ts';
import { checkedRoutes, type WebSocketApiSettings, type WebSocketRoute } from './websocket-settings.ts';

/** The settings of a WebSocket API, read and checked: what its routes work with. */
export interface WebSocketApiParts {
  readonly settings: WebSocketApiSettings;
  readonly routes: ReadonlyMap<string, WebSocketRoute>;
  readonly selection: RouteSelection;
  /** Of the authorizer on `$connect`; none are missing if there is no authorizer. */
  readonly identitySources: IdentitySources;
  readonly throttle: RouteThrottle;
}

/**
 * Reads the expressions of the settings and checks the routes.
 *
 * @throws GatewaySettingsError for what API Gateway would refuse when the API is created
 */
export function webSocketParts(settings: WebSocketApiSettings): WebSocketApiParts {
  const routes = checkedRoutes(settings);
  return {
    settings,
    routes,
    selection: parseRouteSelection(settings.routeSelectionExpression),
    identitySources: parseIdentitySources(routes.get('$connect')?.authorizer?.identitySource ?? []),
    throttle: new RouteThrottle(settings.throttling, settings.clock),
  };
}
