import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { errorFrame, jobFrame, parseClientFrame, type ServerFrame } from '../../protocol/frames.ts';
import { type CreateJobInput, problem } from '../../protocol/http.ts';
import { entityTagOf, isNewer, type Job } from '../../protocol/job.ts';
import type { ResultLink } from '../../protocol/result-link.ts';
import { isTerminal } from '../../protocol/status.ts';
import type { JobWatcher, JobWatchers } from '../../protocol/watchers.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';
import { bundledPage } from './bundled-page.ts';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));

/** The page, an API, a bucket and a socket in one small server whose jobs the test changes by hand. */
export class FakeApi implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #assets: ReadonlyMap<string, Uint8Array>;
  readonly #jobs = new Map<string, Job>();
  /** Every request so far, as `METHOD /path`. */
  readonly requests: string[] = [];
  /** The bytes of each upload so far. */
  readonly uploads: number[] = [];
  /** What `GET /jobs/{id}/result` leads to. */
  result: unknown = {};
  /** What `GET /jobs/{id}/watchers` answers. */
  watchers: JobWatcher[] = [];
  /** While true `POST /jobs` is refused. */
  refuseCreation = false;
  /** While true no socket is accepted. */
  unreachable = false;

  private constructor(server: Server, assets: ReadonlyMap<string, Uint8Array>) {
    this.#server = server;
    this.#assets = assets;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!request.destroyed) throw error; // a browser that stops an upload breaks the request off
      });
    });
    this.#sockets = new WebSocketServer({
      server,
      handleProtocols: () => 'jobwire.v1',
      verifyClient: () => !this.unreachable,
    });
    this.#sockets.on('connection', (socket) => this.#serve(socket));
  }

  /** Bundles the page and listens on a free port. */
  static async start(): Promise<FakeApi> {
    const assets = await bundledPage();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeApi(server, assets);
  }

  /** Where the page is. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    return `http://127.0.0.1:${port}`;
  }

  /** Commits a state and pushes it to everybody. */
  put(job: Job): void {
    if (isNewer(job, this.#jobs.get(job.id))) this.#jobs.set(job.id, job);
    for (const socket of this.#sockets.clients) send(socket, jobFrame(job));
  }

  /** The state of a job. */
  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: WebSocket): void {
    socket.on('message', (data) => {
      const frame = parseClientFrame(String(data));
      if (frame.type === 'ping') {
        send(socket, { type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) });
      } else if (frame.type === 'subscribe' && 'topic' in frame) {
        send(socket, { type: 'subscribed', id: frame.id, topic: frame.topic });
      } else if (frame.type === 'subscribe') {
        const job = this.#jobs.get(frame.job);
        if (job === undefined) send(socket, errorFrame('not-found', { id: frame.id }));
        else send(socket, { type: 'subscribed', id: frame.id, job });
      }
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.url).pathname;
    this.requests.push(`${request.method} ${path}`);
    const body: Uint8Array[] = [];
    for await (const chunk of request) body.push(chunk);
    const text = () => Buffer.concat(body).toString();
    const asset = this.#assets.get(path);
    if (path === '/') await this.#page(response);
    else if (asset !== undefined) {
      response.setHeader('content-type', path.endsWith('.css') ? 'text/css' : 'text/javascript');
      response.end(asset);
    } else if (path === '/bucket') {
      this.uploads.push(Buffer.concat(body).length);
      response.end();
    } else if (path === '/results') {
      answer(response, 200, this.result);
    } else this.#call(`${request.method} ${path}`, text, response);
  }

  async #page(response: ServerResponse): Promise<void> {
    const template = await readFile(`${WEB}index.html`, 'utf8');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      template
        .replaceAll('{{connect-sources}}', `${this.url} ${this.url.replace('http', 'ws')}`)
        .replace('{{api}}', this.url),
    );
  }

  #call(call: string, text: () => string, response: ServerResponse): void {
    const watch = { url: this.url.replace('http', 'ws'), ticket: 't', protocols: ['jobwire.v1', 'ticket.t'] };
    const id = /^POST \/jobs\/(\w+)\/cancel$/.exec(call)?.[1];
    const job = id === undefined ? undefined : this.#jobs.get(id);
    const read = this.#jobs.get(/^GET \/jobs\/(\w+)$/.exec(call)?.[1] ?? '');
    if (call === 'POST /tickets') {
      answer(response, 201, {
        ...watch,
        expiresAt: new Date(Math.floor(Date.now() / 1000 + 60) * 1000).toISOString(),
      });
    } else if (call === 'GET /jobs') {
      answer(response, 200, { jobs: [...this.#jobs.values()] });
    } else if (read !== undefined) {
      response.setHeader('etag', entityTagOf(read));
      answer(response, 200, read);
    } else if (call === 'POST /jobs' && this.refuseCreation) {
      answer(response, 413, problem('too-large', { detail: '<b>too</b> large' }));
    } else if (call === 'POST /jobs') {
      const created = this.#create(JSON.parse(text()));
      const upload = { method: 'PUT', url: `${this.url}/bucket`, headers: {} };
      answer(response, 201, { job: created, upload, token: 'token', watch });
    } else if (/^GET \/jobs\/\w+\/watchers$/.test(call)) {
      answer(response, 200, { watchers: this.watchers, count: this.watchers.length } satisfies JobWatchers);
    } else if (/^GET \/jobs\/\w+\/result$/.test(call)) {
      const expiresAt = new Date(Date.now() + 60_000).toISOString();
      answer(response, 200, { url: `${this.url}/results`, expiresAt } satisfies ResultLink);
    } else if (job !== undefined && !isTerminal(job.status)) {
      this.put({ ...job, seq: job.seq + 1, status: 'cancelled' });
      answer(response, 202, this.#jobs.get(job.id));
    } else answer(response, 404, problem('not-found'));
  }

  #create(input: CreateJobInput): Job {
    const { kind, fileName, contentType, size, tags = [] } = input;
    const at = new Date().toISOString();
    const job = sampleJob(1, 'awaiting-upload', {
      id: jobId(900 + this.#jobs.size),
      kind,
      input: { fileName, contentType, size },
      tags,
      createdAt: at,
      updatedAt: at,
      history: [{ status: 'awaiting-upload', at, seq: 1 }],
    });
    this.put(job);
    return job;
  }
}

function send(socket: WebSocket, frame: ServerFrame): void {
  socket.send(JSON.stringify(frame));
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', status < 400 ? 'application/json' : 'application/problem+json');
  response.end(JSON.stringify(body));
}
