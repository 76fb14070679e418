import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { LoopbackCertificate } from '../../bench/loopback-certificate.ts';

/** An HTTP server that answers as the @connections of API Gateway do (aws-facts 2). */
export interface ManagementServer {
  /** `ws://127.0.0.1:<port>/<stage>`, as in `SOCKET_URL`; `wss://…` with a certificate. */
  readonly socketUrl: string;
  /** The other ends of the open connections: the frames that came. */
  readonly frames: Map<string, string[]>;
  /** Answers the next request in this way instead. */
  answerNext(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
  /** How many requests came. */
  readonly requests: () => number;
  /** Every socket that was ever opened, the oldest first. */
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** Starts the server on a free port, over TLS if there is a certificate. */
export async function startManagementServer(certificate?: LoopbackCertificate): Promise<ManagementServer> {
  const frames = new Map<string, string[]>();
  const answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
  let requests = 0;
  const answer: RequestListener = async (request, response) => {
    requests += 1;
    const body = await buffer(request);
    const scripted = answers.shift();
    if (scripted !== undefined) return scripted(request, response);
    const match = /^\/live\/(?:@|%40)connections\/([^/]+)$/.exec(request.url ?? '');
    const connection = decodeURIComponent(match?.[1] ?? '');
    const received = frames.get(connection);
    if (!request.headers.authorization?.includes('/execute-api/aws4_request'))
      return refuse(response, 403, 'ForbiddenException');
    if (received === undefined) return refuse(response, 410, 'GoneException');
    if (body.byteLength > 131_072) return refuse(response, 413, 'PayloadTooLargeException');
    received.push(body.toString());
    return response.writeHead(200).end();
  };
  const server =
    certificate === undefined
      ? createServer(answer)
      : createTlsServer({ key: certificate.key, cert: certificate.certificate }, answer);
  const sockets: Socket[] = [];
  server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    socketUrl: `${certificate === undefined ? 'ws' : 'wss'}://127.0.0.1:${address.port}/live`,
    frames,
    answerNext: (scripted) => void answers.push(scripted),
    requests: () => requests,
    sockets,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The body is empty, as that of the real 410. */
function refuse(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { 'x-amzn-errortype': type }).end();
}
