import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type ClientFrame, parseClientFrame, type ServerFrame, SUBPROTOCOL } from '../../protocol/frames.ts';
import type { Watch } from '../../protocol/http.ts';
import { AsyncQueue } from './async-queue.ts';

/** One accepted connection, driven by the test. */
export class Peer {
  readonly socket: WebSocket;
  /** What the client offered. */
  readonly offered: readonly string[];
  /** The request target, query included. */
  readonly target: string;
  readonly #frames = new AsyncQueue<ClientFrame>();
  readonly closed: Promise<number>;

  constructor(socket: WebSocket, offered: readonly string[], target: string) {
    this.socket = socket;
    this.offered = offered;
    this.target = target;
    socket.on('message', (data) => this.#frames.push(parseClientFrame(String(data))));
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  /** The next frame of the client, which must be of `type`. */
  async expect<Type extends ClientFrame['type']>(type: Type): Promise<ClientFrame & { type: Type }> {
    const frame = await this.#frames.next();
    if (frame.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(frame)}`);
    return frame as ClientFrame & { type: Type }; // the line above has compared the discriminant
  }

  /** Sends a frame. */
  send(frame: ServerFrame): void {
    this.socket.send(JSON.stringify(frame));
  }
}

/** A real WebSocket server that accepts whoever speaks the subprotocol and leaves the rest to the test. */
export class FakeServer implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly #peers = new AsyncQueue<Peer>();
  /** How many tickets were taken. */
  tickets = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      const offered = String(request.headers['sec-websocket-protocol']).split(/, ?/);
      this.#peers.push(new Peer(socket, offered, String(request.url)));
    });
  }

  /** Starts on a free port. */
  static async start(): Promise<FakeServer> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    await once(server, 'listening');
    return new FakeServer(server);
  }

  /** A new ticket for this server. */
  ticket = async (): Promise<Watch> => {
    this.tickets += 1;
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    const ticket = `t${this.tickets}`;
    return { url: `ws://127.0.0.1:${port}/`, ticket, protocols: [SUBPROTOCOL, `ticket.${ticket}`] };
  };

  /** The next connection. */
  accept(): Promise<Peer> {
    return this.#peers.next();
  }

  /** How many connections are open. */
  get open(): number {
    return this.#server.clients.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
