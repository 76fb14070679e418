import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The way from a browser to the servers: a real HTTP proxy, through which a browser sends everything. Plain requests
 * it forwards; a WebSocket comes as CONNECT, as browsers do for `ws://`, so that it can be refused as company
 * networks do, or cut; and the whole way can go dark as in a tunnel.
 */
export class NetworkPath implements AsyncDisposable {
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();
  readonly #sockets = new Set<Duplex>();
  #webSockets = true;
  #dark = false;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      if (this.#dark) socket.destroy();
    });
    server.on('request', (incoming, outgoing) => this.#forward(incoming, outgoing));
    server.on('connect', (incoming, socket) => this.#tunnel(incoming, socket));
  }

  /** Listens on a free port. */
  static async start(): Promise<NetworkPath> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new NetworkPath(server);
  }

  /** What a browser context is given so that it takes this way, to 127.0.0.1, too. */
  get proxy(): { readonly server: string; readonly bypass: string } {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    return { server: `http://127.0.0.1:${port}`, bypass: '<-loopback>' };
  }

  /** How many WebSockets are open now. */
  get webSockets(): number {
    return this.#tunnels.size;
  }

  /** From now on WebSockets are refused, and those that are open are cut; or no longer. */
  blockWebSockets(blocked: boolean): void {
    this.#webSockets = !blocked;
    if (blocked) for (const tunnel of this.#tunnels) tunnel.destroy();
  }

  /** From now on nothing gets through, and what is open breaks off; or no longer. */
  goDark(dark: boolean): void {
    this.#dark = dark;
    if (dark) for (const socket of [...this.#sockets, ...this.#tunnels]) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goDark(true);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const onward = request(
      incoming.url ?? '',
      { method: incoming.method ?? 'GET', headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.on('error', () => outgoing.destroy()).pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.on('error', () => onward.destroy()).pipe(onward);
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex): void {
    if (!this.#webSockets) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const onward: Socket = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    this.#tunnels.add(socket);
    const end = () => {
      this.#tunnels.delete(socket);
      socket.destroy();
      onward.destroy();
    };
    for (const side of [socket, onward]) side.on('error', end).on('close', end);
  }
}
