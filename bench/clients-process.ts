import { connect, type Socket } from 'node:net';
import { answerCalls } from './child-process.ts';

/** Many clients, in a process of their own. They read no more of WebSockets than they must. */
export interface Clients {
  /** Opens more sockets, some at once. Settles when all of them are upgraded. */
  connect(settings: { readonly port: number; readonly path: string; readonly count: number }): Promise<void>;
  /** Settles when every socket has got exactly so many bytes since the last call, and rejects at one too many. */
  received(bytes: number): Promise<void>;
}

/** Handshakes under way at a time: enough to keep a server busy, and below its backlog. */
const AT_ONCE = 64;

const END_OF_HEAD = Buffer.from('\r\n\r\n');

interface Client {
  readonly socket: Socket;
  bytes: number;
}

const clients: Client[] = [];
let settled: (() => void) | undefined;

answerCalls<Clients>({
  async connect({ port, path, count }) {
    let left = count;
    const openSome = async () => {
      while (left > 0) {
        left -= 1;
        clients.push(await open(port, path));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, openSome));
  },
  async received(bytes) {
    const most = () => Math.max(...clients.map((client) => client.bytes));
    while (clients.some((client) => client.bytes < bytes)) {
      if (clients.some((client) => client.bytes > bytes)) break;
      await new Promise<void>((resolve) => {
        settled = resolve;
      });
    }
    if (most() > bytes) throw new Error(`A socket got ${most()} bytes where ${bytes} were sent`);
    for (const client of clients) client.bytes = 0;
  },
});

function open(port: number, path: string): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const client: Client = { socket, bytes: 0 };
    let head: Buffer | undefined = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The server closed a socket')));
    socket.on('data', (chunk) => {
      if (head === undefined) {
        client.bytes += chunk.length;
        settled?.();
        settled = undefined;
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const status = head.toString('latin1', 0, head.indexOf('\r\n'));
      client.bytes = head.length - end - END_OF_HEAD.length;
      head = undefined;
      if (status.startsWith('HTTP/1.1 101 ')) resolve(client);
      else reject(new Error(`A handshake was answered with ${status}`));
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
  });
}
