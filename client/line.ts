import { MAXIMUM_HEADS } from '../protocol/frame-limits.ts';
import type { ClientFrame } from '../protocol/frames.ts';
import type { Head } from '../protocol/head.ts';
import type { Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { readServerFrame } from '../protocol/light-reader.ts';
import type { TicketSource } from './access.ts';
import { backOffMs } from './back-off.ts';
import { type ProblemError, type Refusal, UnexpectedAnswerError } from './errors.ts';
import { REFUSED, SILENT } from './limits.ts';
import type { Platform, SocketLike } from './platform.ts';
import { createTimers } from './timers.ts';
import type { Timings } from './timings.ts';
import { jobOf, type TopicName } from './topic-name.ts';

/** Why a line ended. */
export interface LineEnd {
  /** Set where coming back is of no use. */
  readonly refusal?: Refusal;
  /** A fault that passes, for a log. */
  readonly trouble?: unknown;
  /** What the server asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** How much it tells of a network that blocks sockets: a ticket came, but no socket that said anything. */
  readonly suspicion?: number | undefined;
}

/** Whom a line tells. Nothing follows `ended`, which comes exactly once unless `close()` was called. */
export interface LineListener {
  opened(line: Line): void;
  /** The server has said something. */
  heard(): void;
  received(job: Job): void;
  /** The server has confirmed a subscription. */
  confirmed(name: TopicName): void;
  /** The server has refused a subscription for good. */
  refused(name: TopicName, refusal: Refusal): void;
  /** A ping is due. */
  due(): void;
  /** A fault that the line gets over, such as its first malformed frame. */
  trouble(error: unknown): void;
  ended(line: Line, end: LineEnd): void;
  /** What all that is subscribed for has. */
  heads(): ReadonlyMap<string, Head | undefined>;
}

/** One way to the server, from its ticket to its end, and what the server has confirmed over it. */
export interface Line {
  /** What the server has confirmed over this line. */
  readonly confirmed: ReadonlySet<TopicName>;
  /** Subscribes, with what all watchers have. */
  subscribe(name: TopicName): void;
  /** Unsubscribes. */
  forget(name: TopicName): void;
  /** Pings now, and has less patience than usual: somebody has just begun to look. */
  check(): void;
  /** Closes without a word to the listener. */
  close(): void;
}

/**
 * Takes a ticket and opens a socket: frames in and out, the heartbeat, the limit on answers. It knows nothing of
 * coming back.
 *
 * A frame that cannot be read is reported once and ignored, and the line stands: every frame carries a whole state,
 * so the next frame, or the heads of the next ping, make good what it said.
 */
export function dial(
  { clock, random, WebSocket }: Platform,
  { answerMs, connectMs, pingMs, wakeAnswerMs }: Timings,
  tickets: TicketSource,
  listener: LineListener,
): Line {
  /** Aborted when the line is over. */
  const end = new AbortController();
  const { signal } = end;
  /** By what is subscribed to: the limit on the answer, or when to ask again. And `ping`, for the next or its limit. */
  const timers = createTimers(clock);
  /** What each subscribe was about, and each unsubscribe, which is no attempt; its id is the place here. */
  const asked: (readonly [name: TopicName, attempt?: number])[] = [];
  const confirmed = new Set<TopicName>();
  let socket: SocketLike | undefined;
  let heard = false;
  let malformed = false;
  let open = false;
  /** Until when the server has to say what is waited for: a ping's answer, or that the socket is open. */
  let deadline = Infinity;

  function over(why: LineEnd): void {
    if (signal.aborted) return;
    line.close();
    listener.ended(line, why);
  }

  function broken(suspicion: number): void {
    // Without a ticket there was no socket to be blocked.
    over({ suspicion: heard || !socket ? 0 : suspicion });
  }

  function send(frame: ClientFrame): void {
    socket?.send(JSON.stringify(frame));
  }

  function limit(name: string, patienceMs: number): void {
    timers.set(name, patienceMs, () => broken(SILENT));
  }

  function pingLater(): void {
    deadline = Infinity;
    timers.set('ping', pingMs, () => ping(answerMs));
  }

  /** Gives the server so long to answer, or to open the socket, or what is left of what it was given before. */
  function ping(patienceMs: number): void {
    // One at a time.
    if (open && deadline === Infinity) {
      const heads = [...listener.heads()].flatMap(([job, head]) => (head ? [[job, head.seq]] : []));
      send({ type: 'ping', heads: Object.fromEntries(heads.slice(0, MAXIMUM_HEADS)) });
    }
    deadline = Math.min(deadline, clock.now() + patienceMs);
    limit('ping', deadline - clock.now());
    if (open) listener.due();
  }

  function receive(data: unknown): void {
    if (signal.aborted) return;
    listener.heard();
    const frame = readServerFrame(data);
    if (frame === null && !malformed) {
      malformed = true;
      listener.trouble(new UnexpectedAnswerError('not an answer of a Jobwire API'));
    }
    if (!frame) return;
    heard = true;
    if (frame.type === 'bye') over(frame.reconnect ? frame : { refusal: frame });
    if (frame.type === 'pong') pingLater();
    const [name, attempt] = ('id' in frame && asked[Number(frame.id)]) || [];
    // Unless it is not waited for any more.
    if (name && attempt !== undefined && timers.cancel(name)) {
      if (frame.type === 'subscribed') {
        confirmed.add(name);
        listener.confirmed(name);
      } else if (frame.type === 'error') {
        const { retryable, retryAfterMs } = frame.error;
        const delayMs = backOffMs(random, attempt, retryAfterMs);
        if (retryable) timers.set(name, delayMs, () => line.subscribe(name, attempt + 1));
        else listener.refused(name, frame.error);
      }
    }
    // Frames overtake each other: the subscription that followed may be what has just ended.
    if (frame.type === 'unsubscribed' && name && (confirmed.delete(name) || timers.has(name))) {
      line.subscribe(name);
    }
    // After the state, so that a job which is terminal already ends the watch last.
    if ('job' in frame) listener.received(frame.job);
  }

  async function connect(): Promise<void> {
    ping(connectMs);
    let watch: Watch | undefined;
    try {
      watch = await tickets(signal);
      if (signal.aborted) return;
      socket = new WebSocket(watch.url, watch.protocols);
      socket.addEventListener('open', () => {
        open = true;
        pingLater();
        listener.opened(line);
      });
      socket.addEventListener('message', ({ data }) => receive(data));
      socket.addEventListener('close', () => broken(REFUSED));
      // `close` follows each `error`; without a listener `ws` would throw.
      socket.addEventListener('error', () => {});
    } catch (trouble) {
      const { retryable, retryAfterMs }: Partial<ProblemError> = Object(trouble);
      over(
        retryable === false
          ? { refusal: { cause: Object(trouble) } }
          : // With a ticket in hand it was the socket that could not even be made, as under a page's strict policy.
            { trouble, retryAfterMs, suspicion: watch && REFUSED },
      );
    }
  }

  const line = {
    confirmed,
    subscribe(name: TopicName, attempt = 0) {
      if (!open) return;
      const since = listener.heads().get(jobOf(name));
      const id = String(asked.push([name, attempt]) - 1);
      send({ type: 'subscribe', id, ...target(name), ...(since && { since }) });
      limit(name, answerMs);
    },
    forget(name: TopicName) {
      confirmed.delete(name);
      timers.cancel(name);
      if (open) send({ type: 'unsubscribe', id: String(asked.push([name]) - 1), ...target(name) });
    },
    check() {
      if (!signal.aborted) ping(wakeAnswerMs);
    },
    close() {
      end.abort();
      timers.clear();
      confirmed.clear();
      open = false;
      socket?.close(1000);
    },
  };
  void connect();
  return line;
}

/** As frames name it. */
function target(name: TopicName): { job: string } | { topic: string } {
  const job = jobOf(name);
  return job ? { job } : { topic: name };
}
