import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { createJobwireClient, type JobwireClient, type JobwireClientOptions } from '../../client/client.ts';
import { UploadsBucket } from '../../handlers/aws/uploads-bucket.ts';
import type { JobRecord } from '../../handlers/ports.ts';
import { systemClock } from '../../local/clock.ts';
import { startS3 } from '../../local/services/s3.ts';
import { ApiSetting } from '../handlers/api/api-setting.ts';
import { callingAs, knowing, owner } from '../local/services/caller.ts';

/** What becomes of a request to S3; `before` is called with its method and URL, and may wait. */
export type Fate = 'pass' | 'kill' | 'hang';

/** The API on memory, S3 on disk, both over real HTTP, and a line to S3 that a test can cut. */
export interface UploadSetting {
  readonly setting: ApiSetting;
  readonly uploads: UploadsBucket;
  /** Where the API is. */
  readonly api: string;
  /** Requests to S3, such as `PUT 2` for part 2. */
  readonly sent: string[];
  /** What the local S3 has to say to whoever runs it: nothing, whatever its clients do. */
  readonly lines: readonly string[];
  /** Requests to the API, such as `POST /jobs/job_…/cancel`. */
  readonly asked: string[];
  /** Decides the fate of each request to S3; by default all pass. */
  fate: (request: string) => Fate;
  /** Called before the API answers. */
  onAsk: (call: string) => unknown;
  client(options?: Partial<JobwireClientOptions>): JobwireClient;
  record(id: string): Promise<JobRecord>;
  close(): Promise<void>;
}

/** Starts it. With `authorizer` a request's header `x-subject` says who calls. */
export async function startUploadSetting(auth: 'open' | 'authorizer' = 'open'): Promise<UploadSetting> {
  const directory = await mkdtemp(join(tmpdir(), 'jobwire-uploads-'));
  const s3 = await startS3({
    port: 0,
    directory,
    buckets: [{ BucketName: 'uploads' }],
    principals: knowing(),
    clock: systemClock,
    onObjectCreated: () => {},
    log: (line) => lines.push(line),
  });
  const lines: string[] = [];
  const sent: string[] = [];
  const asked: string[] = [];
  const line = await startLine(s3.port, (request) => {
    const [, method, url] = /^(\w+) (\S+)/.exec(request) ?? [];
    const part = /[?&]partNumber=(\d+)/.exec(url ?? '')?.[1];
    const name = part === undefined ? `${method}` : `${method} ${part}`;
    sent.push(name);
    return running.fate(name);
  });
  const s3Client = new S3Client({
    ...callingAs(owner, `http://127.0.0.1:${line.port}`),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const uploads = new UploadsBucket({ client: s3Client, bucketName: 'uploads' });
  // The API signs by the machine's time, which S3 checks.
  const setting = new ApiSetting({ uploads, auth, now: () => new Date() });
  const api = createHttpServer(async (request, response) => {
    const call = `${request.method} ${request.url}`;
    asked.push(call);
    await running.onAsk(call);
    const subject = request.headers['x-subject'];
    const bindings = subject === undefined ? {} : { requestContext: { authorizer: { lambda: { subject } } } };
    const answer = await setting.api.request(request.url ?? '/', await initOf(request), bindings);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  const apiUrl = `http://127.0.0.1:${await listening(api)}`;
  const clients: JobwireClient[] = [];
  const running: UploadSetting = {
    setting,
    uploads,
    api: apiUrl,
    sent,
    asked,
    lines,
    fate: () => 'pass',
    onAsk: () => undefined,
    client: (options = {}) => {
      const client = createJobwireClient({
        api: apiUrl,
        random: () => 0,
        ...options,
      });
      clients.push(client);
      return client;
    },
    record: async (id) => {
      const record = await setting.jobs.read(id);
      if (record === undefined) throw new Error('the job is gone');
      return record;
    },
    close: async () => {
      for (const client of clients) client.close();
      api.closeAllConnections();
      api.close();
      s3Client.destroy();
      line.close();
      await s3.close();
      await rm(directory, { recursive: true });
    },
  };
  return running;
}

async function initOf(request: IncomingMessage): Promise<RequestInit> {
  const body = await buffer(request);
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return {
    method: request.method ?? 'GET',
    headers: Object.fromEntries(headers),
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
  };
}

async function listening(server: ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // it listens on TCP, so the address is no pipe name
}

/** A line to `port` that looks at each request as it begins. */
async function startLine(
  port: number,
  look: (request: string) => Fate,
): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.pipe(near);
    near.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1', 0, 4_096);
      const fate = /^(GET|PUT|POST|DELETE|HEAD) \/\S* HTTP\/1\.1\r\n/.test(text) ? look(text) : 'pass';
      if (fate === 'kill') near.destroy();
      else if (fate === 'hang') near.pause();
      else if (!far.write(chunk)) {
        near.pause();
        far.once('drain', () => near.resume());
      }
    });
  });
  const nearPort = await listening(server);
  return {
    port: nearPort,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
