import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { answerCalls } from './child-process.ts';
import type { BareServer } from './connections-server.ts';
import { measureMemory } from './memory.ts';

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

/* The same sockets on `ws` and nothing else: what they cost at least. */
answerCalls<BareServer>({
  async start() {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // An address is text for pipes only; this server listens on TCP.
    return { port: (server.address() as AddressInfo).port, path: '/' };
  },
  open: () => sockets.clients.size,
  memory: measureMemory,
  async broadcast(text) {
    const bytes = Buffer.from(text);
    const sent = [...sockets.clients].map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          socket.send(bytes, { binary: false }, (error) => {
            if (error === undefined || error === null) resolve();
            else reject(error);
          });
        }),
    );
    await Promise.all(sent);
  },
});
