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

/** What is waited for. Counted as it comes: to look at every client at each chunk would be what is measured. */
interface Expectation {
  /** That every client is to have. */
  readonly bytes: number;
  /** Clients that have fewer. */
  behind: number;
  readonly reached: PromiseWithResolvers<void>;
}

const clients: Client[] = [];
let expected: Expectation | undefined;

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
    for (const client of clients) if (client.bytes > bytes) throw tooMany(client.bytes, bytes);
    const behind = clients.filter((client) => client.bytes < bytes).length;
    if (behind > 0) {
      const reached = Promise.withResolvers<void>();
      expected = { bytes, behind, reached };
      await reached.promise;
      expected = undefined;
    }
    for (const client of clients) client.bytes = 0;
  },
});

function tooMany(got: number, sent: number): Error {
  return new Error(`A socket got ${got} bytes where ${sent} were sent`);
}

function count(client: Client, bytes: number): void {
  client.bytes += bytes;
  if (expected === undefined || client.bytes < expected.bytes) return;
  if (client.bytes > expected.bytes) expected.reached.reject(tooMany(client.bytes, expected.bytes));
  else if (--expected.behind === 0) expected.reached.resolve();
}

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
        count(client, chunk.length);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const status = head.toString('latin1', 0, head.indexOf('\r\n'));
      count(client, head.length - end - END_OF_HEAD.length);
      head = undefined;
      if (status.startsWith('HTTP/1.1 101 ')) resolve(client);
      else reject(new Error(`A handshake was answered with ${status}`));
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
  });
}
