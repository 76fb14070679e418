import type { ErrorFrame, ServerFrame } from '../protocol/frames.ts';
import type { Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import type { TicketSource } from './access.ts';
import type { BackOff } from './back-off.ts';
import type { Timer } from './clock.ts';
import { ConnectionRefusedError, ProblemError, TicketRefusedError, type WatchError } from './errors.ts';
import type { Platform } from './platform.ts';
import { type SessionEnd, SocketSession } from './socket-session.ts';
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
  trouble(error: unknown): void;
  ended(end: LineEnd): void;
  /** What the client has, for the next ping. */
  heads(): Record<string, number>;
}

/** One way to the server, from its ticket to its end, and what the server has confirmed over it. */
export class Line {
  /** Set by the connection once all that is watched is confirmed over it. */
  settled = false;
  /** Set by the connection when a younger line has followed it: closes it a little later. */
  draining: Timer | undefined;
  readonly #platform: Platform;
  readonly #timings: Timings;
  readonly #backOff: BackOff;
  readonly #listener: LineListener;
  readonly #abort = new AbortController();
  readonly #confirmed = new Set<Subscription>();
  readonly #requests = new Map<string, Subscription>();
  /** Those that the server has asked for patience. */
  readonly #waiting = new Set<Subscription>();
  readonly #timers = new Set<Timer>();
  #session: SocketSession | undefined;
  #heard = false;

  constructor(platform: Platform, timings: Timings, backOff: BackOff, listener: LineListener) {
    this.#platform = platform;
    this.#timings = timings;
    this.#backOff = backOff;
    this.#listener = listener;
  }

  /** Whether frames may be sent. */
  get open(): boolean {
    return this.#session?.open === true;
  }

  /** Whether it has been silent for longer than a live one may be. */
  get doubtful(): boolean {
    return this.#session?.doubtful === true;
  }

  /** Whether the server has confirmed a subscription over this line. */
  confirms(subscription: Subscription): boolean {
    return this.#confirmed.has(subscription);
  }

  /** Takes a ticket and opens the socket. All that goes wrong comes as `ended`. */
  async dial(tickets: TicketSource): Promise<void> {
    const { signal } = this.#abort;
    const limit = this.#schedule(this.#timings.connectMs, () =>
      this.#end(this.#session === undefined ? {} : { blocked: 'silent' }),
    );
    let watch: Watch | undefined;
    try {
      watch = await tickets(signal);
      if (signal.aborted) return;
      this.#session = new SocketSession(this.#platform, this.#timings, watch, {
        opened: () => {
          limit.cancel();
          this.#listener.opened();
        },
        received: (frame) => this.#received(frame),
        malformed: (error) => this.#listener.trouble(error),
        doubted: () => this.#listener.doubted(),
        ended: (end) => this.#end(this.#meaningOf(end)),
        heads: () => this.#listener.heads(),
      });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ProblemError)) {
        // With a ticket in hand it was the socket that could not even be made, as under a strict policy of a page.
        this.#end({ trouble: error, ...(watch === undefined ? {} : { blocked: 'refused' }) });
      } else if (error.retryable) {
        this.#end({ trouble: error, retryAfterMs: error.retryAfterMs });
      } else {
        const message = `no ticket for the connection: ${error.message}`;
        this.#end({ fatal: new TicketRefusedError(message, { cause: error }) });
      }
    }
  }

  /** Subscribes, with what the watcher has. */
  subscribe(subscription: Subscription): void {
    if (this.#session === undefined || !this.open) return;
    const { target } = subscription;
    const since = subscription.since();
    const id = this.#session.request(
      'job' in target
        ? { type: 'subscribe', job: target.job, ...(since === undefined ? {} : { since }) }
        : { type: 'subscribe', topic: target.topic },
    );
    this.#requests.set(id, subscription);
  }

  /** Forgets a watcher; with `target` the server is told, too. */
  forget(subscription: Subscription, target: Target | undefined): void {
    this.#confirmed.delete(subscription);
    this.#waiting.delete(subscription);
    for (const [id, other] of this.#requests) if (other === subscription) this.#requests.delete(id);
    if (target !== undefined && this.open) this.#session?.unsubscribe(target);
  }

  /** Pings now: somebody has just begun to look. */
  check(): void {
    this.#session?.check();
  }

  /** Closes without a word to the listener. */
  close(): void {
    this.#abort.abort();
    this.draining?.cancel();
    for (const timer of this.#timers) timer.cancel();
    this.#session?.close();
    this.#confirmed.clear();
  }

  #received(frame: ServerFrame): void {
    this.#heard = true;
    this.#listener.heard();
    if (frame.type === 'job') this.#listener.received(frame.job);
    if (frame.type !== 'subscribed' && frame.type !== 'error') return;
    const subscription = frame.id === undefined ? undefined : this.#requests.get(frame.id);
    if (subscription === undefined || frame.id === undefined) return; // a ping's: its own time limit speaks for it
    this.#requests.delete(frame.id);
    if (frame.type === 'subscribed') {
      this.#confirmed.add(subscription);
      this.#listener.confirmed(subscription);
      // After the state, so that a job which is terminal already ends the watch last.
      if ('job' in frame) this.#listener.received(frame.job);
    } else if (!frame.error.retryable) {
      this.#listener.refused(subscription, frame.error);
    } else {
      this.#waiting.add(subscription);
      this.#schedule(this.#backOff.nextDelayMs(frame.error.retryAfterMs), () => {
        if (this.#waiting.delete(subscription)) this.subscribe(subscription);
      });
    }
  }

  #meaningOf(end: SessionEnd): LineEnd {
    if (end.kind === 'bye') {
      const { code, reason, reconnect, retryAfterMs } = end.bye;
      return reconnect ? { retryAfterMs } : { fatal: new ConnectionRefusedError(code, reason) };
    }
    if (this.#heard) return {};
    return { blocked: end.kind === 'silent' ? 'silent' : 'refused' };
  }

  #end(end: LineEnd): void {
    this.close();
    this.#listener.ended(end);
  }

  #schedule(delayMs: number, callback: () => void): Timer {
    const timer = this.#platform.clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return timer;
  }
}
