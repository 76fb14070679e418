import type { Fetch, SocketConstructor, SocketLike } from '../../client/platform.ts';
import { type ClientFrame, parseClientFrame, type ServerFrame } from '../../protocol/frames.ts';
import { isNewer, type Job } from '../../protocol/job.ts';
import type { ManualClock } from './manual-clock.ts';

/** API Gateway's limits (aws-facts 1.8), in milliseconds. */
const LIFETIME_MS = 2 * 60 * 60_000;
const IDLE_MS = 10 * 60_000;
/** How long a ticket is good for (the wire contract), in milliseconds. */
const TICKET_MS = 60_000;

/** The most that a frame is on its way, in either direction, and that the publisher is behind a commit. */
const MAXIMUM_DELAY_MS = 80;

/** One connection as the gateway sees it. */
interface GatewayConnection {
  readonly topics: Set<string>;
  closed: boolean;
  /** Hands a frame over after a while, in order. */
  post(frame: ServerFrame): void;
  close(code: number): void;
}

/**
 * The server side of the contract on a manual clock: tickets that expire and are good for one connect, sockets that
 * are cut after two hours or ten idle minutes, a publisher that reads who watches a little after the commit and
 * posts a little after that. Delays are random, and frames of one connection keep their order.
 */
export class FakeGateway {
  readonly #clock: ManualClock;
  readonly #random: () => number;
  readonly #connections = new Set<GatewayConnection>();
  readonly #jobs = new Map<string, Job>();
  readonly #tickets = new Map<string, number>();
  /** How many sockets were ever opened. */
  opened = 0;
  /** How many the gateway has cut, by its limits or by `cut`. */
  cuts = 0;
  /** Hears of each ticket that is asked for: a socket will open soon. */
  onTicket = () => {};
  /** Everything that a client did wrong. */
  readonly faults: string[] = [];

  constructor(clock: ManualClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How many open connections have a subscription to each of the topics. */
  subscribed(topics: readonly string[]): number {
    return [...this.#connections].filter((each) => topics.every((topic) => each.topics.has(topic))).length;
  }

  /** Commits a state; whoever watches hears of it soon. */
  commit(job: Job): void {
    this.#jobs.set(job.id, job);
    this.#later(MAXIMUM_DELAY_MS, () => {
      for (const connection of this.#connections) {
        if (connection.topics.has(job.id) || connection.topics.has('owner:me')) {
          connection.post({ type: 'job', job });
        }
      }
    });
  }

  /** Cuts one connection, as a train in a tunnel does. */
  cut(): void {
    for (const connection of this.#connections) {
      connection.close(1006);
      return;
    }
  }

  /** The API: tickets and the list. */
  readonly fetch: Fetch = async (url) => {
    if (url.endsWith('/tickets')) this.onTicket();
    await new Promise<void>((resolve) => this.#later(300, resolve));
    if (new URL(url).pathname === '/jobs') return Response.json({ jobs: [...this.#jobs.values()] });
    const ticket = `t${this.#tickets.size}`;
    this.#tickets.set(ticket, this.#clock.now() + TICKET_MS);
    const protocols = ['jobwire.v1', `ticket.${ticket}`];
    return Response.json({ url: 'ws://gateway', ticket, protocols }, { status: 201 });
  };

  /** The sockets of this gateway. */
  get WebSocket(): SocketConstructor {
    const accept = (socket: EventTarget, protocols: string[]) => this.#accept(socket, protocols);
    return class extends EventTarget {
      readonly #peer: ReturnType<typeof accept>;
      constructor(_url: string, protocols: string[]) {
        super();
        this.#peer = accept(this, protocols);
      }
      send(text: string): void {
        this.#peer.hear(text);
      }
      close(): void {
        this.#peer.leave();
      }
    } as unknown as new (
      // EventTarget's listeners take any event; those that are dispatched below are what SocketLike says.
      url: string,
      protocols: string[],
    ) => SocketLike;
  }

  #accept(socket: EventTarget, protocols: string[]) {
    const ticket = String(protocols[1]).slice('ticket.'.length);
    const openedAt = this.#clock.now();
    let heardAt = openedAt;
    let dueAt = 0;
    const inOrder = (run: () => void) => {
      dueAt = Math.max(dueAt, this.#clock.now() + this.#random() * MAXIMUM_DELAY_MS);
      this.#clock.schedule(dueAt - this.#clock.now(), run);
    };
    const connection: GatewayConnection = {
      topics: new Set(),
      closed: false,
      post: (frame) =>
        inOrder(() => {
          if (!connection.closed) dispatch(socket, 'message', { data: JSON.stringify(frame) });
        }),
      close: (code) => {
        if (connection.closed) return;
        this.cuts += 1;
        connection.closed = true;
        this.#connections.delete(connection);
        dispatch(socket, 'close', { code });
      },
    };
    const watchIdle = () => {
      if (connection.closed) return;
      const idleMs = this.#clock.now() - heardAt;
      if (idleMs >= IDLE_MS) connection.close(1001);
      else this.#clock.schedule(IDLE_MS - idleMs, watchIdle);
    };
    inOrder(() => {
      if (connection.closed) return;
      if ((this.#tickets.get(ticket) ?? 0) < this.#clock.now()) this.faults.push(`a bad ticket: ${ticket}`);
      this.#tickets.set(ticket, 0);
      this.#connections.add(connection);
      this.opened += 1;
      this.#clock.schedule(LIFETIME_MS, () => connection.close(1001));
      watchIdle();
      dispatch(socket, 'open', {});
    });
    return {
      hear: (text: string) => {
        const frame = parseClientFrame(text);
        this.#later(MAXIMUM_DELAY_MS, () => {
          heardAt = this.#clock.now();
          if (!connection.closed) this.#answer(connection, frame);
        });
      },
      leave: () => {
        connection.closed = true;
        this.#connections.delete(connection);
      },
    };
  }

  #answer(connection: GatewayConnection, frame: ClientFrame): void {
    if (frame.type === 'ping') {
      for (const [id, seq] of Object.entries(frame.heads ?? {})) {
        const job = this.#jobs.get(id);
        if (job !== undefined && job.seq > seq) connection.post({ type: 'job', job });
      }
      connection.post({ type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) });
    } else if (frame.type === 'unsubscribe') {
      connection.topics.delete('job' in frame ? frame.job : frame.topic);
    } else if ('topic' in frame) {
      connection.topics.add(frame.topic);
      connection.post({ type: 'subscribed', id: frame.id, topic: frame.topic });
    } else {
      connection.topics.add(frame.job);
      const job = this.#jobs.get(frame.job);
      if (job === undefined) {
        this.faults.push(`no such job: ${frame.job}`);
      } else if (isNewer(job, frame.since)) {
        connection.post({ type: 'subscribed', id: frame.id, job });
      } else {
        const { epoch, seq } = job;
        connection.post({ type: 'subscribed', id: frame.id, head: { job: job.id, epoch, seq } });
      }
    }
  }

  #later(atMostMs: number, run: () => void): void {
    this.#clock.schedule(this.#random() * atMostMs, run);
  }
}

function dispatch(socket: EventTarget, type: string, fields: Readonly<Record<string, unknown>>): void {
  socket.dispatchEvent(Object.assign(new Event(type), fields));
}
