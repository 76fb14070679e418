import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { connect } from './connect-route.ts';
import { newGatewayId } from './connection-id.ts';
import { errorFrame } from './error-frame.ts';
import { type FrameViolation, guardFrames } from './frame-limits.ts';
import { handshakeProblem, readHandshake, refuseUpgrade } from './handshake.ts';
import {
  CLIENT_BUFFER_BYTES,
  CLOSE_GRACE_MS,
  CLOSE_HANDSHAKE_TIMEOUT_MS,
  MAXIMUM_MESSAGE_BYTES,
  MAXIMUM_URL_CHARACTERS,
} from './limits.ts';
import { type ListeningServer, listen } from './listening-server.ts';
import { answerManagement, isManagementPath } from './management-api.ts';
import { answerMessage, tellDisconnect } from './message-route.ts';
import type { ConnectionFacts } from './request-context.ts';
import { WebSocketConnection } from './websocket-connection.ts';
import { type WebSocketApiParts, webSocketParts } from './websocket-parts.ts';
import type { WebSocketApiSettings } from './websocket-settings.ts';
import { WorkInProgress } from './work-in-progress.ts';

/** An open connection, for logs and tests. */
export interface OpenConnection {
  readonly connectionId: string;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  readonly lastActiveAt: number;
  readonly sourceIp: string;
}

/**
 * Starts one stage of a WebSocket API on `node:http` and `ws`, with its @connections on the same port.
 *
 * @throws GatewaySettingsError for settings that API Gateway would refuse, and the system's error if the port
 * cannot be had
 */
export async function startWebSocketApi(settings: WebSocketApiSettings): Promise<WebSocketApi> {
  const parts = webSocketParts(settings);
  return new WebSocketApi(parts, await listen(settings.host ?? '127.0.0.1', settings.port));
}

/** A running WebSocket API. Make one with `startWebSocketApi`. */
export class WebSocketApi {
  /** `ws://host:port/stage`, where clients connect. */
  readonly url: string;
  /** `http://host:port/stage`, the endpoint of @connections for the SDK. */
  readonly managementUrl: string;
  /** The port that is listened on. */
  readonly port: number;

  readonly #parts: WebSocketApiParts;
  readonly #listening: ListeningServer;
  readonly #domainName: string;
  readonly #connections = new Map<string, WebSocketConnection>();
  /** Sockets whose `$connect` is still running. */
  readonly #pending = new Set<Duplex>();
  /** What is still to end before the API has: handshakes, messages, connections with their `$disconnect`. */
  readonly #work: WorkInProgress;
  readonly #subprotocols = new WeakMap<IncomingMessage, string>();
  readonly #upgrader: WebSocketServer;
  #closing = false;

  /** Takes over a server that listens already. */
  constructor(parts: WebSocketApiParts, listening: ListeningServer) {
    this.#parts = parts;
    this.#work = new WorkInProgress(parts.settings.log);
    this.#listening = listening;
    this.#domainName = `${listening.host}:${listening.port}`;
    this.port = listening.port;
    this.url = `ws://${this.#domainName}/${parts.settings.stageName}`;
    this.managementUrl = `http://${this.#domainName}/${parts.settings.stageName}`;
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAXIMUM_MESSAGE_BYTES,
      closeTimeout: CLOSE_HANDSHAKE_TIMEOUT_MS,
      // Without this `ws` would pick the first one offered; API Gateway echoes what $connect names, no more.
      handleProtocols: () => false as const,
    };
    // `closeTimeout` is an option of `ws` 8.23 that its types do not know yet.
    this.#upgrader = new WebSocketServer(options);
    this.#upgrader.on('headers', (headers, request) => {
      const subprotocol = this.#subprotocols.get(request);
      if (subprotocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
    });
    listening.server.on('request', (request, response) => this.#work.track(this.#answer(request, response)));
    listening.server.on('upgrade', (request, socket, head) =>
      this.#work.track(this.#upgrade(request, socket, head)),
    );
  }

  /** The connections that are open now, oldest first. */
  connections(): readonly OpenConnection[] {
    return [...this.#connections.values()]
      .filter((connection) => connection.isOpen)
      .map(({ facts, lastActiveAt }) => ({
        connectionId: facts.connectionId,
        connectedAt: facts.connectedAt,
        lastActiveAt,
        sourceIp: facts.sourceIp,
      }));
  }

  /**
   * Ends every connection, for tests of faults: with a close code properly, without one by dropping TCP, so
   * that clients see 1006. The API goes on serving.
   */
  disconnectAll(end?: { readonly code: number; readonly reason: string }): void {
    for (const connection of this.#connections.values()) {
      if (end === undefined) connection.terminate();
      else connection.close(end.code, end.reason);
    }
  }

  /**
   * Stops: refuses handshakes, closes every connection with 1001, waits (at most `CLOSE_GRACE_MS`) for the
   * functions that run, `$disconnect` of the last connection included, and gives the port back.
   */
  async close(): Promise<void> {
    this.#closing = true;
    for (const socket of this.#pending) socket.destroy();
    this.disconnectAll({ code: 1001, reason: 'Going away' });
    await this.#work.settle(CLOSE_GRACE_MS);
    this.disconnectAll();
    await this.#listening.close();
  }

  #isEndpoint(path: string): boolean {
    const { stageName } = this.#parts.settings;
    return path === `/${stageName}` || path === `/${stageName}/`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (isManagementPath(path)) {
      const { apiId, stageName, authorizeManagement, log, clientBufferBytes } = this.#parts.settings;
      const api = {
        apiId,
        stageName,
        authorizeManagement,
        log,
        clientBufferBytes: clientBufferBytes ?? CLIENT_BUFFER_BYTES,
        find: (connectionId: string) => this.#connections.get(connectionId),
      };
      return answerManagement(api, request, response);
    }
    const [statusCode, message] = this.#isEndpoint(path) ? [426, 'Upgrade Required'] : [403, 'Forbidden'];
    response.writeHead(statusCode, {
      'Content-Type': 'application/json',
      ...(statusCode === 426 ? { Upgrade: 'websocket' } : {}),
    });
    response.end(JSON.stringify({ message }));
    request.resume();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { settings, throttle } = this.#parts;
    const { log } = settings;
    const handshake = readHandshake(request);
    const noteError = (error: Error): void => log(`A client left during the handshake: ${error.message}`);
    socket.on('error', noteError);
    const problem = handshakeProblem(request);
    if (this.#closing) return refuseUpgrade(socket, 503, '');
    if (!this.#isEndpoint(handshake.path)) return refuseUpgrade(socket, 403, '{"message":"Forbidden"}');
    const requestId = newGatewayId();
    const now = settings.clock.now();
    const facts: ConnectionFacts = {
      apiId: settings.apiId,
      stage: settings.stageName,
      domainName: this.#domainName,
      connectionId: newGatewayId(),
      connectedAt: now,
      sourceIp: handshake.sourceIp,
      ...(handshake.userAgent === undefined ? {} : { userAgent: handshake.userAgent }),
    };
    if (problem !== undefined || (request.url ?? '').length > MAXIMUM_URL_CHARACTERS) {
      log(`Refused a handshake: ${problem ?? `its URL has more than ${MAXIMUM_URL_CHARACTERS} characters`}`);
      const statusCode = problem === undefined ? 414 : 400;
      return refuseUpgrade(socket, statusCode, errorFrame('Bad Request', facts.connectionId, requestId));
    }
    if (!throttle.admits('$connect')) {
      return refuseUpgrade(socket, 429, errorFrame('Too Many Requests', facts.connectionId, requestId));
    }
    this.#pending.add(socket);
    const outcome = await connect(this.#parts, handshake, facts, requestId, this.port);
    this.#pending.delete(socket);
    if (outcome.kind === 'refused') {
      log(`Refused a connection with ${outcome.statusCode}: ${outcome.reason}`);
      return refuseUpgrade(socket, outcome.statusCode, outcome.body);
    }
    if (this.#closing) return refuseUpgrade(socket, 503, '');
    if (outcome.subprotocol !== undefined) this.#subprotocols.set(request, outcome.subprotocol);
    this.#open(request, socket, head, outcome.facts);
    // The connection listens to its socket now.
    socket.off('error', noteError);
  }

  #open(request: IncomingMessage, socket: Duplex, head: Buffer, facts: ConnectionFacts): void {
    let connection: WebSocketConnection | undefined;
    // In what came with the handshake, before there is a connection to close.
    let early: FrameViolation | undefined;
    const refuse = (violation: FrameViolation): void => {
      const { code, problem } = violation;
      if (connection === undefined) early = violation;
      else {
        this.#parts.settings.log(`Closed ${facts.connectionId} with ${code}: the client sent ${problem}`);
        connection.close(code, '');
      }
    };
    const passing = guardFrames(socket, head, refuse);
    this.#upgrader.handleUpgrade(request, socket, passing, (webSocket) => {
      connection = this.#register(webSocket, facts);
    });
    if (early !== undefined) refuse(early);
  }

  #register(webSocket: WebSocket, facts: ConnectionFacts): WebSocketConnection {
    const { settings } = this.#parts;
    const connection = new WebSocketConnection(facts, webSocket, settings.clock);
    this.#connections.set(facts.connectionId, connection);
    this.#work.opened();
    webSocket.on('message', (data: Buffer) => {
      // What came before a frame that was refused still counts; what comes after this side closed does not.
      if (connection.end !== undefined && ![1003, 1009].includes(connection.end.code)) return;
      this.#work.track(answerMessage(this.#parts, connection, data.toString('utf8')));
    });
    webSocket.on('error', (error: Error & { readonly code?: string }) => {
      settings.log(`Connection ${facts.connectionId}: ${error.message}`);
      if (error.code === 'WS_ERR_INVALID_UTF8') connection.noteEnd({ code: 1007, reason: '' });
      else if (error.code?.startsWith('WS_ERR_')) connection.noteEnd({ code: 1002, reason: '' });
    });
    webSocket.on('close', (code, reason) => {
      connection.dispose();
      this.#connections.delete(facts.connectionId);
      const seen = { code, reason: reason.toString('utf8') };
      this.#work.track(tellDisconnect(this.#parts, connection, seen));
      this.#work.closed();
    });
    return connection;
  }
}
