import { systemClock } from '../clock.ts';
import { StartError } from '../errors.ts';
import { type HttpApi, startHttpApi } from '../gateway/http-api.ts';
import type { HttpAuthorizer } from '../gateway/http-settings.ts';
import { startWebSocketApi, type WebSocketApi } from '../gateway/websocket-api.ts';
import { managementAuthorizer } from '../permissions/management.ts';
import type { Principals } from '../permissions/principal.ts';
import type { Stack } from '../template/properties.ts';
import { type ApiDeclaration, type AuthorizerDeclaration, readApis } from '../template/read-apis.ts';
import { InvokePermissions } from '../template/read-permissions.ts';
import type { FunctionFleet } from './function-fleet.ts';

/** The two APIs of the template. */
export interface RunningApis {
  readonly http: HttpApi;
  readonly socket: WebSocketApi;
}

/** Settings of `startApis`. */
export interface ApiSettings {
  readonly stack: Stack;
  readonly functions: FunctionFleet;
  readonly principals: Principals;
  readonly httpPort: number;
  readonly socketPort: number;
  readonly log: (line: string) => void;
}

/** Starts the HTTP API and the WebSocket API of the template. */
export async function startApis(settings: ApiSettings): Promise<RunningApis> {
  const apis = readApis(settings.stack, new InvokePermissions(settings.stack));
  const http = await startHttp(onlyOf(apis, 'HTTP'), settings);
  try {
    return { http, socket: await startSocket(onlyOf(apis, 'WEBSOCKET'), settings) };
  } catch (error) {
    await http.close();
    throw error;
  }
}

function onlyOf(apis: readonly ApiDeclaration[], protocol: ApiDeclaration['protocol']): ApiDeclaration {
  const found = apis.filter((api) => api.protocol === protocol);
  const [api] = found;
  if (api === undefined || found.length > 1) {
    throw new StartError(`The template must have one ${protocol} API; it has ${found.length}`);
  }
  return api;
}

async function startHttp(api: ApiDeclaration, settings: ApiSettings): Promise<HttpApi> {
  // One object an authorizer: the cache of its results hangs on it.
  const authorizers = new Map<AuthorizerDeclaration, HttpAuthorizer>();
  const authorizerOf = (declaration: AuthorizerDeclaration): HttpAuthorizer => {
    const authorizer = authorizers.get(declaration) ?? {
      ...declaration,
      function: settings.functions.find(declaration.functionArn),
    };
    authorizers.set(declaration, authorizer);
    return authorizer;
  };
  return await startHttpApi({
    apiId: api.apiId,
    stageName: api.stageName,
    routes: api.routes.map((route) => ({
      routeKey: route.routeKey,
      function: settings.functions.find(route.functionArn),
      ...(route.authorizer === undefined ? {} : { authorizer: authorizerOf(route.authorizer) }),
      ...(route.integrationTimeoutMs === undefined
        ? {}
        : { integrationTimeoutMs: route.integrationTimeoutMs }),
    })),
    ...(api.cors === undefined ? {} : { cors: api.cors }),
    ...(api.throttling === undefined ? {} : { throttling: api.throttling }),
    port: settings.httpPort,
    clock: systemClock,
    log: settings.log,
  });
}

async function startSocket(api: ApiDeclaration, settings: ApiSettings): Promise<WebSocketApi> {
  return await startWebSocketApi({
    apiId: api.apiId,
    stageName: api.stageName,
    // API Gateway demands it of every WebSocket API, so the template has it.
    routeSelectionExpression: api.routeSelectionExpression ?? '$request.body.action',
    routes: api.routes.map((route) => ({
      routeKey: route.routeKey,
      function: settings.functions.find(route.functionArn),
      routeResponse: route.routeResponse,
      ...(route.authorizer === undefined
        ? {}
        : {
            authorizer: {
              function: settings.functions.find(route.authorizer.functionArn),
              identitySource: route.authorizer.identitySource,
            },
          }),
      ...(route.integrationTimeoutMs === undefined
        ? {}
        : { integrationTimeoutMs: route.integrationTimeoutMs }),
    })),
    ...(api.throttling === undefined ? {} : { throttling: api.throttling }),
    port: settings.socketPort,
    clock: systemClock,
    authorizeManagement: managementAuthorizer(settings.principals, systemClock),
    log: settings.log,
  });
}
