import type { ClientFrame, ErrorFrame, ServerFrame, SubscribeFrame } from '../protocol/frames.ts';
import type { Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { readServerFrame } from '../protocol/light-reader.ts';
import type { TicketSource } from './access.ts';
import type { BackOff } from './back-off.ts';
import type { Timer } from './clock.ts';
import { ConnectionRefusedError, ProblemError, TicketRefusedError, type WatchError } from './errors.ts';
import type { Platform, SocketLike } from './platform.ts';
import type { Subscription, Target } from './subscription.ts';
import type { Timings } from './timings.ts';

/** Why a line ended. */
export interface LineEnd {
  /** Set where coming back is of no use. */
  readonly fatal?: WatchError;
  /** A fault that passes, for a log. */
  readonly trouble?: unknown;
  /** What the server asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** A ticket came, but no socket that said anything: `refused` at once, or `silent` until the time was up. */
  readonly blocked?: 'refused' | 'silent';
}

/** Whom a line tells. Nothing follows `ended`, which comes exactly once unless `close()` was called. */
export interface LineListener {
  opened(): void;
  /** The server has said something. */
  heard(): void;
  received(job: Job): void;
  /** The server has confirmed a subscription. */
  confirmed(subscription: Subscription): void;
  /** The server has refused a subscription for good. */
  refused(subscription: Subscription, error: ErrorFrame['error']): void;
  /** `doubtful` has changed. */
  doubted(): void;
  /** A fault that the line gets over, such as its first malformed frame. */
  trouble(error: unknown): void;
  ended(end: LineEnd): void;
  /** What the client has, for the next ping. */
  heads(): Record<string, number>;
}

/** One way to the server, from its ticket to its end, and what the server has confirmed over it. */
export interface Line {
  /** Set by the connection once all that is watched is confirmed over it. */
  settled: boolean;
  /** Set by the connection when a younger line has followed it: closes it a little later. */
  draining: Timer | undefined;
  /** Whether frames may be sent. */
  isOpen(): boolean;
  /** Whether the open socket has been silent for longer than a live one may be. */
  isDoubtful(): boolean;
  /** Whether the server has confirmed a subscription over this line. */
  confirms(subscription: Subscription): boolean;
  /** Subscribes, with what the watcher has. */
  subscribe(subscription: Subscription): void;
  /** Forgets a watcher; with `target` the server is told, too. */
  forget(subscription: Subscription, target: Target | undefined): void;
  /** Pings now, with less patience than usual: somebody has just begun to look. */
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
  { clock, WebSocket }: Platform,
  { answerMs, connectMs, pingMs, wakeAnswerMs }: Timings,
  tickets: TicketSource,
  backOff: BackOff,
  listener: LineListener,
): Line {
  /** Aborted when the line is over. */
  const end = new AbortController();
  const { signal } = end;
  const timers = new Set<Timer>();
  /** The requests without an answer, and until when each is waited for. */
  const limits = new Map<string, Timer>();
  const requests = new Map<string, Subscription>();
  const confirmed = new Set<Subscription>();
  /** Those that the server has asked for patience. */
  const waiting = new Set<Subscription>();
  let socket: SocketLike | undefined;
  let open = false;
  let heard = false;
  let doubtful = false;
  let malformed = false;
  let heardAt = 0;
  let count = 0;
  let pingId: string | undefined;
  let pingTimer: Timer | undefined;

  function later(delayMs: number, callback: () => void): Timer {
    const timer = clock.schedule(delayMs, () => {
      timers.delete(timer);
      callback();
    });
    timers.add(timer);
    return timer;
  }

  function over(why: LineEnd): void {
    if (signal.aborted) return;
    line.close();
    listener.ended(why);
  }

  function broken(blocked: 'refused' | 'silent'): void {
    over(heard ? {} : { blocked });
  }

  function send(frame: ClientFrame): void {
    socket?.send(JSON.stringify(frame));
  }

  function nextId(): string {
    count += 1;
    return String(count);
  }

  function awaitAnswer(id: string, patienceMs: number): void {
    limits.get(id)?.cancel();
    limits.set(
      id,
      later(patienceMs, () => broken('silent')),
    );
  }

  function pingLater(): void {
    pingTimer = later(pingMs, () => ping(answerMs));
  }

  function ping(patienceMs: number): void {
    pingTimer?.cancel();
    // Timers stand still while a machine sleeps: the first one after it must not leave the light on `live`.
    if (clock.now() - heardAt > pingMs + answerMs) doubt(true);
    if (pingId === undefined) {
      pingId = nextId();
      send({ type: 'ping', id: pingId, heads: listener.heads() });
    }
    awaitAnswer(pingId, patienceMs); // one ping at a time, but the patience may shrink
  }

  function doubt(now: boolean): void {
    if (now === doubtful) return;
    doubtful = now;
    listener.doubted();
  }

  function read(data: unknown): ServerFrame | undefined {
    try {
      return readServerFrame(data);
    } catch (error) {
      if (!malformed) listener.trouble(error);
      malformed = true;
      return undefined;
    }
  }

  function receive(data: unknown): void {
    if (signal.aborted) return;
    heardAt = clock.now();
    const frame = read(data);
    doubt(false);
    if (frame === undefined) return;
    heard = true;
    listener.heard();
    if (frame.type === 'bye') {
      const { code, reason, reconnect, retryAfterMs } = frame;
      over(reconnect ? { retryAfterMs } : { fatal: new ConnectionRefusedError(code, reason) });
    } else if (frame.type === 'job') {
      listener.received(frame.job);
    } else if (frame.id !== undefined) {
      answer(frame, frame.id);
    }
  }

  function answer(frame: ServerFrame, id: string): void {
    limits.get(id)?.cancel();
    limits.delete(id);
    if (id === pingId) {
      pingId = undefined;
      pingLater();
    }
    const subscription = requests.get(id);
    requests.delete(id);
    if (subscription === undefined) return;
    if (frame.type === 'subscribed') {
      confirmed.add(subscription);
      listener.confirmed(subscription);
      // After the state, so that a job which is terminal already ends the watch last.
      if ('job' in frame) listener.received(frame.job);
    } else if (frame.type === 'error') {
      refuse(subscription, frame.error);
    }
  }

  function refuse(subscription: Subscription, error: ErrorFrame['error']): void {
    if (!error.retryable) {
      listener.refused(subscription, error);
      return;
    }
    waiting.add(subscription);
    later(backOff.nextDelayMs(error.retryAfterMs), () => {
      if (waiting.delete(subscription)) line.subscribe(subscription);
    });
  }

  async function connect(): Promise<void> {
    const limit = later(connectMs, () => (socket === undefined ? over({}) : broken('silent')));
    let watch: Watch | undefined;
    try {
      watch = await tickets(signal);
      if (signal.aborted) return;
      socket = new WebSocket(watch.url, [...watch.protocols]);
      socket.addEventListener('open', () => {
        if (signal.aborted) return;
        limit.cancel();
        open = true;
        heardAt = clock.now();
        pingLater();
        listener.opened();
      });
      socket.addEventListener('message', ({ data }) => receive(data));
      socket.addEventListener('close', () => broken('refused'));
      // `close` follows each `error`; without a listener `ws` would throw.
      socket.addEventListener('error', () => {});
    } catch (error) {
      const problem = error instanceof ProblemError ? error : undefined;
      if (problem?.retryable === false) {
        over({ fatal: new TicketRefusedError(`no ticket: ${problem.message}`, { cause: error }) });
      } else {
        // With a ticket in hand it was the socket that could not even be made, as under a page's strict policy.
        const blocked = watch === undefined ? {} : ({ blocked: 'refused' } as const);
        over({ trouble: error, retryAfterMs: problem?.retryAfterMs, ...blocked });
      }
    }
  }

  const line: Line = {
    settled: false,
    draining: undefined,
    isOpen: () => open && !signal.aborted,
    isDoubtful: () => doubtful,
    confirms: (subscription) => confirmed.has(subscription),
    subscribe(subscription) {
      if (!line.isOpen()) return;
      const id = nextId();
      const since = subscription.since();
      const { target } = subscription;
      const frame: SubscribeFrame = {
        type: 'subscribe',
        id,
        ...target,
        ...('job' in target && since ? { since } : {}),
      };
      requests.set(id, subscription);
      send(frame);
      awaitAnswer(id, answerMs);
    },
    forget(subscription, target) {
      confirmed.delete(subscription);
      waiting.delete(subscription);
      for (const [id, other] of requests) if (other === subscription) requests.delete(id);
      if (target !== undefined && line.isOpen()) send({ type: 'unsubscribe', id: nextId(), ...target });
    },
    check() {
      if (line.isOpen()) ping(wakeAnswerMs);
    },
    close() {
      end.abort();
      line.draining?.cancel();
      for (const timer of timers) timer.cancel();
      confirmed.clear();
      socket?.close(1000);
    },
  };
  void connect();
  return line;
}
