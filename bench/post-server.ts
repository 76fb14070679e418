import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { answerCalls } from './child-process.ts';
import type { LoopbackCertificate } from './loopback-certificate.ts';

/** What came to the server since it was last asked. */
export interface PostCount {
  readonly posts: number;
  /** Connections that were posted to. With every one of them posted to once, as many as posts. */
  readonly connections: number;
  /** Bytes of the bodies. */
  readonly bytes: number;
}

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-amzn-requestid: bench\r\n\r\n');
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/*
 * Takes posts as @connections would, and counts them. It reads no more of HTTP than it must, so that it keeps up
 * with whoever posts from another core: a server of node:http would be what is measured.
 */
let posts = 0;
let bytes = 0;
let connections = new Set<string>();
const servers: Server[] = [];
let expected: { readonly posts: number; readonly resolve: () => void } | undefined;

function serve(socket: Socket): void {
  let unread: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy()); // the other side ended
  socket.on('data', (chunk) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    for (;;) {
      const endOfHead = unread.indexOf(END_OF_HEAD);
      if (endOfHead < 0) return;
      const head = unread.toString('latin1', 0, endOfHead);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const end = endOfHead + END_OF_HEAD.length + length;
      if (unread.length < end) return;
      posts += 1;
      if (posts === expected?.posts) expected.resolve();
      bytes += length;
      connections.add(head.slice(0, head.indexOf(' HTTP/')));
      socket.write(ANSWER);
      unread = unread.subarray(end);
    }
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  servers.push(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}

/** The calls that this process answers. */
export interface PostServerApi {
  /** Starts to listen, in plain and with a certificate over TLS, too; answers with the ports. */
  start(
    certificate: LoopbackCertificate | undefined,
  ): Promise<{ readonly plain: number; readonly tls: number }>;
  /** Settles when so many posts have come since the last time; asked before the first of them. */
  reached(count: number): Promise<void>;
  /** What came since the last time. */
  take(): PostCount;
  readonly [name: string]: (argument: never) => unknown;
}

answerCalls<PostServerApi>({
  async start(certificate) {
    const secure = { cert: certificate?.certificate, key: certificate?.key };
    return {
      plain: await listen(createServer(serve)),
      tls: certificate === undefined ? 0 : await listen(createTlsServer(secure, serve)),
    };
  },
  reached(count) {
    return new Promise((resolve) => {
      expected = { posts: count, resolve };
    });
  },
  take() {
    const taken = { posts, connections: connections.size, bytes };
    posts = 0;
    bytes = 0;
    connections = new Set();
    return taken;
  },
});
