import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Aedes } from 'aedes';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../clock.ts';
import { listen } from '../gateway/listening-server.ts';
import type { Principals } from '../permissions/principal.ts';
import type { IotAuthorizer } from './iot-authorizer.ts';
import { IotConnections } from './iot-connections.ts';
import { MAXIMUM_PAYLOAD_BYTES } from './iot-limits.ts';
import { IotPublish } from './iot-publish.ts';
import { HOST, type RunningService } from './running-service.ts';

/** How IoT Core is to run here. */
export interface IotSettings {
  /** 0 for a free one. */
  readonly port: number;
  readonly authorizers: readonly IotAuthorizer[];
  readonly principals: Principals;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** The subprotocol of MQTT over WebSockets (MQTT 3.1.1, 6). */
const SUBPROTOCOL = 'mqtt';

/** Bytes of a WebSocket message: one MQTT packet of the largest payload, and its topic and header. */
const MAXIMUM_FRAME_BYTES = MAXIMUM_PAYLOAD_BYTES + 1024;

/** Where IoT Core takes MQTT over WebSockets. */
const BROKER_PATH = '/mqtt';

/** A running IoT Core. */
export interface RunningIot extends RunningService {
  /** Where clients connect. */
  readonly brokerUrl: string;
}

/**
 * Starts as much of IoT Core as is used: on one port MQTT over WebSockets (`/mqtt`, for clients that name a custom
 * authorizer) and the HTTPS API's Publish. The broker is aedes, which speaks MQTT 3.1 and 3.1.1; IoT Core speaks MQTT 5,
 * too, and a client of that is refused here with CONNACK 1. Retained messages are kept in memory: a restart forgets
 * them, until the job changes again.
 *
 * @throws the system's error if the port is taken
 */
export async function startIot(settings: IotSettings): Promise<RunningIot> {
  const { principals, clock, log } = settings;
  const connections = new IotConnections(settings);
  const broker = await Aedes.createBroker(connections.hooks);
  broker.on('clientDisconnect', (client) => connections.forget(client));
  broker.on('connectionError', (client) => connections.forget(client));
  broker.on('clientError', (client) => connections.forget(client));
  const publish = new IotPublish({ broker, principals, clock, log });
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    maxPayload: MAXIMUM_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  const closeBroker = (): Promise<void> => new Promise((resolve) => broker.close(resolve));
  try {
    const listening = await listen(HOST, settings.port);
    listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void publish.answer(request, response).catch((error: unknown) => {
        log(`IoT Core: a message was not published: ${String(error)}`);
        response.writeHead(500, { 'x-amzn-ErrorType': 'InternalFailureException' }).end();
      });
    });
    listening.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const problem = upgradeProblem(request);
      if (problem !== undefined) {
        log(`IoT Core: a handshake was refused: ${problem}`);
        socket.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      upgrader.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
        const stream = createWebSocketStream(webSocket);
        stream.on('error', () => undefined); // a connection that broke; the broker hears of it by itself
        broker.handle(stream, request);
      });
    });
    return {
      endpoint: `http://${HOST}:${listening.port}`,
      brokerUrl: `ws://${HOST}:${listening.port}${BROKER_PATH}`,
      port: listening.port,
      close: async () => {
        await closeBroker();
        for (const webSocket of upgrader.clients) webSocket.terminate();
        await listening.close();
      },
    };
  } catch (error) {
    await closeBroker();
    throw error;
  }
}

function upgradeProblem({ url = '/', headers }: IncomingMessage): string | undefined {
  const [path] = url.split('?', 1);
  if (path !== BROKER_PATH) return `MQTT over WebSockets is at ${BROKER_PATH}`;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return offered.includes(SUBPROTOCOL) ? undefined : `the subprotocol "${SUBPROTOCOL}" is not offered`;
}
