import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** An HTTP server that answers as the @connections of API Gateway do (aws-facts 2). */
export interface ManagementServer {
  /** `ws://127.0.0.1:<port>/<stage>`, as in `SOCKET_URL`. */
  readonly socketUrl: string;
  /** The other ends of the open connections: the frames that came. */
  readonly frames: Map<string, string[]>;
  /** Answers the next request in this way instead. */
  answerNext(answer: (request: IncomingMessage, response: ServerResponse) => void): void;
  /** How many requests came. */
  readonly requests: () => number;
  close(): Promise<void>;
}

/** Starts the server on a free port. */
export async function startManagementServer(): Promise<ManagementServer> {
  const frames = new Map<string, string[]>();
  const answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
  let requests = 0;
  const server = createServer(async (request, response) => {
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
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    socketUrl: `ws://127.0.0.1:${address.port}/live`,
    frames,
    answerNext: (answer) => void answers.push(answer),
    requests: () => requests,
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
