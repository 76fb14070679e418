import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import * as v from 'valibot';

/** What was asked of DynamoDB since it was last looked. */
export interface AskedCapacity {
  readonly requests: number;
  /** Units as DynamoDB itself counts them (`ReturnConsumedCapacity`), read and written. */
  readonly units: number;
}

/** A DynamoDB that counts. */
export interface CapacityProxy {
  readonly endpoint: string;
  take(): AskedCapacity;
  close(): Promise<void>;
}

const ConsumedSchema = v.object({ CapacityUnits: v.number() });
const AnswerSchema = v.object({
  ConsumedCapacity: v.optional(v.union([ConsumedSchema, v.array(ConsumedSchema)])),
});

/**
 * Stands before DynamoDB Local and has every request say what it consumed. (DynamoDB Local checks no signatures, so
 * a body may be changed.) All contestants go through it.
 */
export async function startCapacityProxy(port: number): Promise<CapacityProxy> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let requests = 0;
  let units = 0;
  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const asked: unknown = JSON.parse(String(await buffer(incoming)));
    const body = JSON.stringify(Object.assign(Object(asked), { ReturnConsumedCapacity: 'TOTAL' }));
    const headers = { ...incoming.headers, 'content-length': String(Buffer.byteLength(body)) };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: '127.0.0.1', port, method: 'POST', path: '/', headers, agent }, resolve)
        .once('error', reject)
        .end(body);
    });
    const content = await buffer(answer);
    requests += 1;
    const { ConsumedCapacity = [] } = v.parse(AnswerSchema, JSON.parse(String(content)));
    for (const { CapacityUnits } of [ConsumedCapacity].flat()) units += CapacityUnits;
    // The checksum is of the content, which stays as it is.
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(content);
  };
  const server = createServer((incoming, outgoing) => {
    forward(incoming, outgoing).catch((error: unknown) =>
      outgoing.destroy(error instanceof Error ? error : undefined),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    take() {
      const taken = { requests, units };
      requests = 0;
      units = 0;
      return taken;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
