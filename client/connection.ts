import { type ErrorFrame, MAXIMUM_HEADS, type ServerFrame } from '../protocol/frames.ts';
import type { Watch } from '../protocol/http.ts';
import { BackOff } from './back-off.ts';
import type { Timer } from './clock.ts';
import type { WatchError } from './errors.ts';
import {
  ConnectionRefusedError,
  ProblemError,
  SubscriptionRefusedError,
  TicketRefusedError,
} from './errors.ts';
import type { Platform } from './platform.ts';
import { type SessionEnd, SocketSession } from './socket-session.ts';
import { type ConnectionState, describeState, sameState } from './state.ts';
import { type Subscription, sameTarget } from './subscription.ts';
import type { Timings } from './timings.ts';

/**
 * Gets what it takes to connect once. Called for every connect, since a ticket is good for one.
 * @throws ProblemError: 401, 403 and whatever else is not retryable ends the connection for good. Any other error
 * counts as passing: it is told as `trouble`, and the connection backs off.
 */
export type TicketSource = (signal: AbortSignal) => Promise<Watch>;

interface Entry {
  state: ConnectionState;
  subscribed: boolean;
  retry?: Timer;
}

/**
 * Keeps a socket open for as long as somebody watches over it: takes tickets, backs off, wakes, subscribes anew
 * with what each watcher has, and tells each of them honestly how fresh it is. With nobody left it closes; with
 * somebody new it opens again.
 */
export class Connection {
  readonly #platform: Platform;
  readonly #timings: Timings;
  readonly #tickets: TicketSource;
  readonly #backOff: BackOff;
  readonly #entries = new Map<Subscription, Entry>();
  readonly #requests = new Map<string, Subscription>();
  #session: SocketSession | undefined;
  #attempt: AbortController | undefined;
  #attemptTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #stableTimer: Timer | undefined;
  #staleTimer: Timer | undefined;
  #stopListening: (() => void) | undefined;
  #notBefore = 0;
  #failingSince: number | undefined;
  #lastConfirmedAt: number | undefined;
  #doubtful = false;

  constructor(
    platform: Platform,
    timings: Timings,
    tickets: TicketSource,
    backOff = new BackOff(platform.random),
  ) {
    this.#platform = platform;
    this.#timings = timings;
    this.#tickets = tickets;
    this.#backOff = backOff;
  }

  /** Begins to serve a watcher, and opens the socket for the first. */
  add(subscription: Subscription): void {
    this.#entries.set(subscription, { state: { status: 'connecting' }, subscribed: false });
    this.#stopListening ??= this.#platform.onWake(() => this.#wake());
    if (this.#session?.open === true) this.#subscribe(subscription);
    else if (this.#attempt === undefined && this.#retryTimer === undefined) this.#connectAfter(0);
    this.#tellStates();
  }

  /** Stops serving a watcher; the last one to leave closes the socket. */
  remove(subscription: Subscription): void {
    const entry = this.#entries.get(subscription);
    if (entry === undefined) return;
    entry.retry?.cancel();
    this.#entries.delete(subscription);
    if (this.#entries.size === 0) {
      this.#stop();
      return;
    }
    const shared = [...this.#entries.keys()].some((other) => sameTarget(other.target, subscription.target));
    if (!shared && this.#session?.open === true) {
      this.#session.tell({ type: 'unsubscribe', ...subscription.target });
    }
  }

  /** Connects after `delayMs`, but not before the server wants to be asked again. */
  #connectAfter(delayMs: number): void {
    const { clock } = this.#platform;
    this.#retryTimer?.cancel();
    this.#retryTimer = clock.schedule(Math.max(delayMs, this.#notBefore - clock.now()), () => {
      this.#retryTimer = undefined;
      void this.#connect();
    });
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#attemptTimer = this.#platform.clock.schedule(this.#timings.connectMs, () => this.#failed());
    try {
      const watch = await this.#tickets(attempt.signal);
      if (!attempt.signal.aborted) this.#open(watch);
    } catch (error) {
      if (attempt.signal.aborted) return;
      if (error instanceof ProblemError && !error.retryable) {
        this.#closeAll(
          new TicketRefusedError(`no ticket for the connection: ${error.message}`, { cause: error }),
        );
      } else {
        this.#trouble(error);
        this.#failed(error instanceof ProblemError ? error.retryAfterMs : undefined);
      }
    }
  }

  #open(watch: Watch): void {
    this.#session = new SocketSession(this.#platform, this.#timings, watch, {
      opened: () => this.#opened(),
      received: (frame) => this.#received(frame),
      malformed: (error) => this.#trouble(error),
      doubted: (doubtful) => {
        this.#doubtful = doubtful;
        this.#tellStates();
      },
      ended: (end) => this.#ended(end),
      heads: () => this.#heads(),
    });
  }

  #opened(): void {
    this.#attemptTimer?.cancel();
    this.#attempt = undefined;
    this.#stableTimer = this.#platform.clock.schedule(this.#timings.stableMs, () => this.#backOff.reset());
    for (const subscription of this.#entries.keys()) this.#subscribe(subscription);
  }

  #subscribe(subscription: Subscription): void {
    const { target } = subscription;
    const since = subscription.since();
    const id = this.#session?.request(
      'job' in target
        ? { type: 'subscribe', job: target.job, ...(since === undefined ? {} : { since }) }
        : { type: 'subscribe', topic: target.topic },
    );
    if (id !== undefined) this.#requests.set(id, subscription);
  }

  #received(frame: ServerFrame): void {
    this.#lastConfirmedAt = this.#session?.lastHeardAt;
    if (frame.type === 'job') this.#deliver(frame);
    else if (frame.type === 'subscribed') this.#subscribed(frame);
    else if (frame.type === 'error') this.#refused(frame);
  }

  #deliver(frame: ServerFrame & { type: 'job' }): void {
    for (const subscription of [...this.#entries.keys()]) subscription.receive(frame.job);
  }

  #subscribed(frame: ServerFrame & { type: 'subscribed' }): void {
    const subscription = this.#take(frame.id);
    const entry = subscription && this.#entries.get(subscription);
    if (subscription === undefined || entry === undefined) return;
    entry.subscribed = true;
    this.#settle();
    this.#tellStates();
    // After the state, so that a job which is terminal already ends the watch last.
    if ('job' in frame) this.#deliver({ type: 'job', job: frame.job });
  }

  #refused(frame: ErrorFrame): void {
    const subscription = frame.id === undefined ? undefined : this.#take(frame.id);
    const entry = subscription && this.#entries.get(subscription);
    if (subscription === undefined || entry === undefined) return; // a ping's: its own time limit speaks for it
    if (!frame.error.retryable) {
      this.#close(subscription, new SubscriptionRefusedError(frame.error));
      this.#settle();
      return;
    }
    const session = this.#session;
    entry.retry = this.#platform.clock.schedule(this.#backOff.nextDelayMs(frame.error.retryAfterMs), () => {
      if (session === this.#session && this.#entries.has(subscription)) this.#subscribe(subscription);
    });
  }

  #take(requestId: string): Subscription | undefined {
    const subscription = this.#requests.get(requestId);
    this.#requests.delete(requestId);
    return subscription;
  }

  #ended(end: SessionEnd): void {
    if (end.kind === 'bye' && !end.bye.reconnect) {
      this.#closeAll(new ConnectionRefusedError(end.bye.code, end.bye.reason));
      return;
    }
    this.#failed(end.kind === 'bye' ? end.bye.retryAfterMs : undefined);
  }

  /** The attempt or the connection has failed: forget it and come back later. */
  #failed(retryAfterMs = 0): void {
    this.#drop();
    const { clock } = this.#platform;
    this.#notBefore = clock.now() + retryAfterMs;
    if (this.#failingSince === undefined) {
      this.#failingSince = clock.now();
      this.#staleTimer = clock.schedule(this.#timings.staleAfterMs, () => this.#tellStates());
    }
    this.#connectAfter(this.#backOff.nextDelayMs(retryAfterMs));
    this.#tellStates();
  }

  #trouble(error: unknown): void {
    for (const subscription of [...this.#entries.keys()]) subscription.trouble(error);
  }

  #settle(): void {
    if ([...this.#entries.values()].every((entry) => entry.subscribed)) this.#recovered();
  }

  #recovered(): void {
    this.#failingSince = undefined;
    this.#staleTimer?.cancel();
  }

  /** The network came, or somebody looks again: what waits, waits no longer than the server asked for. */
  #wake(): void {
    if (this.#session !== undefined) {
      this.#session.check();
    } else if (this.#retryTimer !== undefined) {
      this.#connectAfter(0);
    }
  }

  #heads(): Record<string, number> {
    const heads: Record<string, number> = {};
    let count = 0;
    for (const subscription of this.#entries.keys()) {
      for (const [job, seq] of subscription.heads()) {
        if (heads[job] === undefined) count += 1;
        if (count > MAXIMUM_HEADS) return heads;
        heads[job] = Math.max(seq, heads[job] ?? 0);
      }
    }
    return heads;
  }

  #tellStates(): void {
    for (const [subscription, entry] of [...this.#entries]) {
      const state = describeState(
        {
          subscribed: entry.subscribed,
          doubtful: this.#doubtful,
          failingSince: this.#failingSince,
          lastConfirmedAt: this.#lastConfirmedAt,
          now: this.#platform.clock.now(),
        },
        this.#timings.staleAfterMs,
      );
      if (sameState(state, entry.state)) continue;
      entry.state = state;
      subscription.changeState(state);
    }
  }

  #close(subscription: Subscription, error: WatchError): void {
    this.remove(subscription);
    subscription.changeState({ status: 'closed', error });
  }

  #closeAll(error: WatchError): void {
    for (const subscription of [...this.#entries.keys()]) this.#close(subscription, error);
  }

  #stop(): void {
    this.#drop();
    this.#recovered();
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #drop(): void {
    this.#attemptTimer?.cancel();
    this.#attempt?.abort();
    this.#attempt = undefined;
    this.#stableTimer?.cancel();
    this.#session?.close();
    this.#session = undefined;
    this.#doubtful = false;
    this.#requests.clear();
    for (const entry of this.#entries.values()) {
      entry.retry?.cancel();
      entry.subscribed = false;
    }
  }
}
