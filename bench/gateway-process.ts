import { systemClock } from '../local/clock.ts';
import type { InvokableFunction } from '../local/functions/invocation.ts';
import { startWebSocketApi, type WebSocketApi } from '../local/gateway/websocket-api.ts';
import { managementAuthorizer } from '../local/permissions/management.ts';
import { Principals } from '../local/permissions/principal.ts';
import { benchPrincipal } from './bench-principal.ts';
import { answerCalls } from './child-process.ts';
import type { GatewayServer } from './connections-server.ts';
import { beginProfile, endProfile } from './cpu-shares.ts';
import { measureMemory } from './memory.ts';

/** A function that agrees to everything at once: what is measured is the gateway. */
const agreeing: InvokableFunction = {
  name: 'agree',
  arn: 'arn:aws:lambda:us-east-1:000000000000:function:agree',
  invoke: () => Promise.resolve({ kind: 'returned', requestId: 'bench', payload: { statusCode: 200 } }),
};

let api: WebSocketApi | undefined;

function running(): WebSocketApi {
  if (api === undefined) throw new TypeError('start comes first');
  return api;
}

/* The WebSocket API of the local runtime alone, with signed posts, in a process of its own. */
answerCalls<GatewayServer>({
  async start() {
    api = await startWebSocketApi({
      apiId: 'bench',
      stageName: 'v1',
      routeSelectionExpression: '$request.body.type',
      routes: ['$connect', '$disconnect', '$default'].map((routeKey) => ({ routeKey, function: agreeing })),
      port: 0,
      clock: systemClock,
      authorizeManagement: managementAuthorizer(new Principals([benchPrincipal]), systemClock),
      log: () => {},
    });
    return { port: api.port, path: '/v1' };
  },
  open: () => running().connections().length,
  memory: measureMemory,
  posting() {
    const connections = running().connections();
    return {
      socketUrl: running().url,
      accessKeyId: benchPrincipal.accessKeyId,
      secretAccessKey: benchPrincipal.secretAccessKey,
      connections: connections.map(({ connectionId }) => connectionId),
    };
  },
  beginProfile,
  endProfile,
});
