import { createHash, createHmac } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Dispatcher, Pool } from 'undici';
import { ConnectionPoster } from '../handlers/aws/connection-poster.ts';

/** Posts one frame to every connection; settles when all are answered. */
export type PostToAll = (connections: readonly string[], frame: string) => Promise<void>;

/** The ways to post that are compared. */
export type PosterName = 'ours' | 'sdk' | 'sdkTuned' | 'signerAndUndici' | 'unsigned';

/** As many at a time as the publish function posts, but where the way itself has no bound. */
const CONCURRENCY = 64;

/**
 * Makes each way to post to `endpoint`, the URL of @connections without `/@connections`. Of the SDK each loads what it
 * needs, because the others' processes have nothing to do with it.
 */
export const POSTERS: Readonly<Record<PosterName, (endpoint: URL) => Promise<PostToAll>>> = {
  async ours(endpoint) {
    const poster = new ConnectionPoster({ socketUrl: endpoint.href.replace(/^http/, 'ws') });
    return (connections, frame) => inTurns(connections, (connection) => poster.post(connection, frame));
  },

  /** As the public samples do: a client for every invocation, and all posts at once. */
  async sdk(endpoint) {
    const { ApiGatewayManagementApiClient, PostToConnectionCommand } = await import(
      '@aws-sdk/client-apigatewaymanagementapi'
    );
    return async (connections, frame) => {
      const client = new ApiGatewayManagementApiClient({ endpoint: endpoint.href });
      await Promise.all(
        connections.map((connection) =>
          client.send(new PostToConnectionCommand({ ConnectionId: connection, Data: frame })),
        ),
      );
    };
  },

  /** With all that its documentation offers: kept-alive sockets, as many as are used, and no more work than that. */
  async sdkTuned(endpoint) {
    const { ApiGatewayManagementApiClient, PostToConnectionCommand } = await import(
      '@aws-sdk/client-apigatewaymanagementapi'
    );
    const sockets = { keepAlive: true, maxSockets: CONCURRENCY };
    const client = new ApiGatewayManagementApiClient({
      endpoint: endpoint.href,
      maxAttempts: 1,
      requestHandler: { httpAgent: new HttpAgent(sockets), httpsAgent: new HttpsAgent(sockets) },
    });
    return (connections, frame) => {
      const bytes = new TextEncoder().encode(frame);
      return inTurns(connections, async (connection) => {
        await client.send(new PostToConnectionCommand({ ConnectionId: connection, Data: bytes }));
      });
    };
  },

  /** Well-kept parts, put together by somebody who knows both. */
  async signerAndUndici(endpoint) {
    const { SignatureV4 } = await import('@smithy/signature-v4');
    const {
      AWS_ACCESS_KEY_ID: accessKeyId = '',
      AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
      AWS_SESSION_TOKEN: sessionToken = '',
      AWS_REGION: region = '',
    } = process.env;
    const signer = new SignatureV4({
      credentials: { accessKeyId, secretAccessKey, sessionToken },
      region,
      service: 'execute-api',
      sha256: Sha256,
    });
    const pool = new Pool(endpoint.origin, { connections: CONCURRENCY });
    return (connections, frame) =>
      inTurns(connections, async (connection) => {
        const path = `${endpoint.pathname}/@connections/${encodeURIComponent(connection)}`;
        const { headers } = await signer.sign({
          method: 'POST',
          protocol: endpoint.protocol,
          hostname: endpoint.hostname,
          path,
          headers: { host: endpoint.host, 'content-type': 'application/octet-stream' },
          body: frame,
        });
        const { statusCode, body } = await pool.request({ method: 'POST', path, headers, body: frame });
        await body.dump();
        if (statusCode !== 200) throw new Error(`Answered with ${statusCode}`);
      });
  },

  /** What the transport alone takes: the same bytes but for the signature, by the cheapest call that undici has. */
  async unsigned(endpoint) {
    const pool = new Pool(endpoint.origin, { connections: CONCURRENCY });
    const token = process.env['AWS_SESSION_TOKEN'] ?? '';
    return (connections, frame) => {
      const body = Buffer.from(frame);
      const headers = [
        ...['content-type', 'application/octet-stream', 'x-amz-content-sha256', '0'.repeat(64)],
        ...[
          'x-amz-date',
          '20260101T000000Z',
          'authorization',
          'x'.repeat(240),
          'x-amz-security-token',
          token,
        ],
      ];
      return inTurns(
        connections,
        (connection) =>
          new Promise<void>((resolve, reject) => {
            const path = `${endpoint.pathname}/@connections/${encodeURIComponent(connection)}`;
            pool.dispatch({ path, method: 'POST', headers, body }, new UnsignedAnswer(resolve, reject));
          }),
      );
    };
  },
};

class UnsignedAnswer implements Dispatcher.DispatchHandler {
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(resolve: () => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseEnd(): void {
    this.#resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

/** The checksums that the SDK gives its signer, which are Node's. */
class Sha256 {
  readonly #digest: Pick<ReturnType<typeof createHmac>, 'update' | 'digest'>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#digest = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: Uint8Array): void {
    this.#digest.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#digest.digest();
  }

  reset(): void {
    throw new Error('The signer does not ask for it');
  }
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret;
  if (!ArrayBuffer.isView(secret)) return new Uint8Array(secret);
  return new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
}

/** Works through all of them, `CONCURRENCY` at a time. */
async function inTurns(
  connections: readonly string[],
  post: (connection: string) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    for (;;) {
      const connection = connections[next];
      if (connection === undefined) return;
      next += 1;
      await post(connection);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}
