import { createServer, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that listens. */
export interface ListeningServer {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  /** Ends every connection that is still open, then resolves. */
  close(): Promise<void>;
}

/**
 * Listens on `host:port` (port 0: a free one). Resolves once it does.
 *
 * @throws the error of the system, such as EADDRINUSE
 */
export async function listen(
  host: string,
  port: number,
  options: ServerOptions = {},
): Promise<ListeningServer> {
  const server = createServer(options);
  // Longer than the pauses of a busy SDK client: Node's five seconds make it reuse connections just closed.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // An address is text for pipes only; this server listens on TCP.
  const address = server.address() as AddressInfo;
  return {
    server,
    host,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
