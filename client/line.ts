import { MAXIMUM_HEADS } from '../protocol/frame-limits.ts';
import type { ClientFrame } from '../protocol/frames.ts';
import type { Head } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { readServerFrame } from '../protocol/light-reader.ts';
import type { Access } from './access.ts';
import { backOffMs } from './back-off.ts';
import { errorOf, type ProblemError, type Refusal, UnexpectedAnswerError } from './errors.ts';
import { PATIENCE, REFUSED, SILENT } from './limits.ts';
import type { SocketLike } from './platform.ts';
import { createTimers } from './timers.ts';
import type { Setup } from './timings.ts';
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
  readonly refused?: number | undefined;
}

/** Whom a line tells. Nothing follows `ended`, which comes exactly once unless `close()` was called. */
export interface LineListener {
  opened(line: Line): void;
  /** The server has said something. */
  heard(): void;
  receive(job: Job): void;
  /** The server has confirmed a subscription. */
  confirmed(name: TopicName): void;
  /** The server has refused a subscription for good. */
  refused(name: TopicName, refusal: Refusal): void;
  /** A ping is due. */
  due(): void;
  /** A fault that the line gets over, as its first malformed frame. */
  trouble(error: unknown): void;
  /** The server has put off a subscription too often to be silent about it. */
  failed(error: unknown): void;
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
  unsubscribe(name: TopicName): void;
  /** Pings now, and has less patience than usual: somebody has just begun to look. */
  wake(): void;
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
  { answerMs, clock, connectMs, pingMs, random, wakeAnswerMs }: Setup,
  ticket: Exclude<Access['ticket'], false>,
  listener: LineListener,
): Line {
  /** Aborted when the line is over. */
  const end = new AbortController();
  const { signal } = end;
  /** By what is subscribed to: the limit on the answer, or when to ask again. And `ping`, for the next or its limit. */
  const timers = createTimers(clock);
  /** What each subscribe was about, and each unsubscribe, which is no attempt; its id is the place here. */
  const asked: (readonly [name: TopicName, attempt: number | undefined])[] = [];
  const confirmed = new Set<TopicName>();
  let socket: SocketLike | undefined;
  let heard = false;
  let malformed = false;
  let isOpen = false;
  /** Until when the server has to say what is waited for: a ping's answer, or that the socket is open. */
  let deadline = Infinity;

  function over(why: LineEnd): void {
    if (signal.aborted) return;
    line.close();
    listener.ended(line, why);
  }

  function broken(refused: number): void {
    // Without a ticket there was no socket to be blocked.
    over(heard || !socket ? {} : { refused });
  }

  function send(frame: ClientFrame): void {
    socket?.send(JSON.stringify(frame));
  }

  /** Asks for what the name says; without an attempt, for the end of it. */
  function ask(type: 'subscribe' | 'unsubscribe', name: TopicName, attempt?: number, since?: Head): void {
    const id = String(asked.push([name, attempt]) - 1);
    const job = jobOf(name);
    // A field that is undefined is one that is absent, in JSON.
    send({ type, id, ...(job ? { job } : { topic: name }), since } as ClientFrame);
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
    if (isOpen && deadline === Infinity) {
      const heads = [...listener.heads()].slice(0, MAXIMUM_HEADS).map(([job, head]) => [job, head?.seq]);
      send({ type: 'ping', heads: Object.fromEntries(heads) });
    }
    deadline = Math.min(deadline, clock.now() + patienceMs);
    limit('ping', deadline - clock.now());
    if (isOpen) listener.due();
  }

  function read(data: unknown): void {
    listener.heard();
    // Who is told may have closed the line.
    if (signal.aborted) return;
    const frame = readServerFrame(data);
    if (frame === null && !malformed) {
      malformed = true;
      listener.trouble(new UnexpectedAnswerError('not an answer of a Jobwire API'));
    }
    if (!frame) return;
    heard = true;
    if (frame.type === 'bye') over(frame.reconnect ? frame : { refusal: frame });
    if (frame.type === 'pong') pingLater();
    const { id } = frame as { readonly id?: string }; // of those frames that answer one
    const [name, attempt] = asked[Number(id)] ?? [];
    // Unless it is not waited for any more.
    if (name && attempt !== undefined && timers.cancel(name)) {
      if (frame.type === 'subscribed') {
        confirmed.add(name);
        listener.confirmed(name);
      } else if (frame.type === 'error') {
        const { retryable, retryAfterMs } = frame.error;
        const delayMs = backOffMs(random, attempt, retryAfterMs);
        if (retryable) {
          timers.set(name, delayMs, () => line.subscribe(name, attempt + 1));
          // Once is patience that the server asks for.
          if (attempt === PATIENCE) listener.failed(errorOf(frame.error));
        } else listener.refused(name, frame.error);
      }
    }
    // Frames overtake each other: the subscription that followed may be what has just ended.
    if (frame.type === 'unsubscribed' && name && (confirmed.delete(name) || timers.cancel(name))) {
      line.subscribe(name);
    }
    // After the state, so that a job which is terminal already ends the watch last.
    if ('job' in frame) listener.receive(frame.job);
  }

  async function connect(): Promise<void> {
    ping(connectMs);
    let open: Awaited<ReturnType<typeof ticket>> | undefined;
    try {
      open = await ticket(signal);
      if (signal.aborted) return;
      socket = open(listener.trouble);
      socket.addEventListener('open', () => {
        isOpen = true;
        pingLater();
        listener.opened(line);
      });
      socket.addEventListener('message', ({ data }) => read(data));
      socket.addEventListener('close', () => broken(REFUSED));
      // `close` follows each `error`; without a listener `ws` would throw.
      socket.addEventListener('error', () => {});
    } catch (trouble) {
      const { retryable, retryAfterMs }: Partial<ProblemError> = Object(trouble);
      over(
        retryable === false
          ? { refusal: { cause: trouble as Error } } // it says so itself
          : // With a ticket in hand it was the socket that could not even be made, as under a page's strict policy.
            { trouble, retryAfterMs, refused: open && REFUSED },
      );
    }
  }

  const line = {
    confirmed,
    subscribe(name: TopicName, attempt = 0) {
      if (!isOpen) return;
      ask('subscribe', name, attempt, listener.heads().get(jobOf(name)));
      limit(name, answerMs);
    },
    unsubscribe(name: TopicName) {
      confirmed.delete(name);
      timers.cancel(name);
      if (isOpen) ask('unsubscribe', name);
    },
    wake() {
      if (!signal.aborted) ping(wakeAnswerMs);
    },
    close() {
      end.abort();
      timers.clear();
      confirmed.clear();
      isOpen = false;
      socket?.close(1000);
    },
  };
  void connect();
  return line;
}
