import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Fetch } from '../../client/platform.ts';
import {
  type ClientFrame,
  errorFrame,
  jobFrame,
  parseClientFrame,
  type ServerFrame,
  SUBPROTOCOL,
} from '../../protocol/frames.ts';
import { type Problem, problem } from '../../protocol/http.ts';
import { entityTagOf, isNewer, type Job } from '../../protocol/job.ts';
import type { JobBroker } from './job-broker.ts';

/** A request that the server holds until the job moves. */
interface Held {
  readonly id: string;
  readonly answer: () => void;
}

/**
 * A server that keeps jobs and serves them by the contract: over real sockets, and over HTTP by `fetch`, which needs
 * no port. A test changes the jobs, blocks sockets, cuts them, and refuses requests.
 */
export class JobServer implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly #jobs = new Map<string, Job>();
  readonly #topics = new Map<WebSocket, Set<string>>();
  readonly #held = new Set<Held>();
  /** Every request so far, as `METHOD /path`, and ` after <tag>` where it was conditional. */
  readonly requests: string[] = [];
  /** Every frame so far. */
  readonly frames: ClientFrame[] = [];
  /** How many sockets were ever opened. */
  sockets = 0;
  /** The most sockets that were open at once. */
  mostOpen = 0;
  /** While true no socket is accepted. */
  blocked = false;
  /** While set, requests by `fetch` fail with it. */
  failure: Error | Problem | undefined;
  /** What `Retry-After` says of such a problem; 0 is nothing. */
  retryAfterSeconds = 0;

  /** Where states are broadcast as well, if anywhere. */
  readonly broker: JobBroker | undefined;
  #tickets = 0;

  private constructor(server: WebSocketServer, broker?: JobBroker) {
    this.#server = server;
    this.broker = broker;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** Starts on a free port; with a broker it broadcasts, too. */
  static async start(broker?: JobBroker): Promise<JobServer> {
    const accepts = { yes: () => true };
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => SUBPROTOCOL,
      verifyClient: () => accepts.yes(),
    });
    await once(server, 'listening');
    const jobs = new JobServer(server, broker);
    accepts.yes = () => !jobs.blocked;
    return jobs;
  }

  /** How many sockets are open. */
  get open(): number {
    return this.#server.clients.size;
  }

  /** How many requests are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Commits a state and tells whoever watches. */
  commit(...jobs: readonly Job[]): void {
    for (const job of jobs) {
      this.#jobs.set(job.id, job);
      this.broker?.publish(job.id, JSON.stringify(jobFrame(job)));
      if (this.broker?.deaf) continue;
      for (const [socket, topics] of this.#topics) {
        if (topics.has(job.id) || topics.has('owner:me')) send(socket, jobFrame(job));
      }
      for (const held of [...this.#held]) if (held.id === job.id) held.answer();
    }
  }

  /** Cuts every socket. */
  cut(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.broker?.cut();
  }

  /** Lets every held request go with what there is, as the API does when the time is up. */
  release(): void {
    for (const held of [...this.#held]) held.answer();
  }

  /** The API. */
  readonly fetch: Fetch = async (url, init = {}) => {
    const { pathname } = new URL(url);
    const headers = new Headers(init.headers);
    const known = headers.get('if-none-match');
    this.requests.push(`${init.method ?? 'GET'} ${pathname}${known === null ? '' : ` after ${known}`}`);
    if (this.failure instanceof Error) throw this.failure;
    if (this.failure !== undefined) {
      const wait = { 'retry-after': String(this.retryAfterSeconds) };
      return Response.json(this.failure, { status: this.failure.status, headers: wait });
    }
    if (init.method === 'POST') {
      const id = /^\/jobs\/(.+)\/tickets$/.exec(pathname)?.[1];
      if (id !== undefined && !this.#jobs.has(id))
        return Response.json(problem('not-found'), { status: 404 });
      return Response.json(this.#ticket(id), { status: 201 });
    }
    if (pathname === '/jobs') return Response.json({ jobs: [...this.#jobs.values()] });
    const id = pathname.slice('/jobs/'.length);
    const isKnown = () => known !== null && known === tagOf(this.#jobs.get(id));
    if (isKnown() && /wait=[1-9]/.test(headers.get('prefer') ?? '')) await this.#hold(id, init.signal);
    const job = this.#jobs.get(id);
    if (job === undefined) return Response.json(problem('not-found'), { status: 404 });
    return isKnown() ? new Response(null, { status: 304 }) : Response.json(job);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await this.broker?.[Symbol.asyncDispose]();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #ticket(job?: string) {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    const expiresAt = '2026-11-23T12:01:00.000Z';
    this.#tickets += 1;
    const ticket = `t${this.#tickets}`;
    const protocols = [SUBPROTOCOL, `ticket.${ticket}`];
    const broadcast = job === undefined ? undefined : this.broker?.grant(ticket, job);
    return { url: `ws://127.0.0.1:${port}/`, ticket, protocols, expiresAt, broadcast };
  }

  #hold(id: string, signal: AbortSignal | null | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const held = {
        id,
        answer: () => {
          this.#held.delete(held);
          resolve();
        },
      };
      this.#held.add(held);
      signal?.addEventListener('abort', () => {
        this.#held.delete(held);
        reject(signal.reason);
      });
    });
  }

  #serve(socket: WebSocket): void {
    const topics = new Set<string>();
    this.#topics.set(socket, topics);
    this.sockets += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    socket.on('close', () => this.#topics.delete(socket));
    socket.on('message', (data) => {
      const frame = parseClientFrame(String(data));
      this.frames.push(frame);
      if (frame.type === 'ping') this.#answerPing(socket, frame);
      else if (frame.type === 'subscribe') this.#subscribe(socket, topics, frame);
      else topics.delete('job' in frame ? frame.job : frame.topic);
    });
  }

  #answerPing(socket: WebSocket, { id, heads = {} }: ClientFrame & { type: 'ping' }): void {
    for (const [job, seq] of Object.entries(heads)) {
      const state = this.#jobs.get(job);
      if (state !== undefined && state.seq > seq) send(socket, jobFrame(state));
    }
    send(socket, { type: 'pong', ...(id === undefined ? {} : { id }) });
  }

  #subscribe(socket: WebSocket, topics: Set<string>, frame: ClientFrame & { type: 'subscribe' }): void {
    const { id } = frame;
    if ('topic' in frame) {
      topics.add(frame.topic);
      send(socket, { type: 'subscribed', id, topic: frame.topic });
      return;
    }
    const job = this.#jobs.get(frame.job);
    if (job === undefined) {
      send(socket, errorFrame('not-found', { id }));
      return;
    }
    topics.add(frame.job);
    const { epoch, seq } = job;
    if (isNewer(job, frame.since)) send(socket, { type: 'subscribed', id, job });
    else send(socket, { type: 'subscribed', id, head: { job: frame.job, epoch, seq } });
  }
}

function tagOf(job: Job | undefined): string | undefined {
  return job && entityTagOf(job);
}

function send(socket: WebSocket, frame: ServerFrame): void {
  socket.send(JSON.stringify(frame));
}
