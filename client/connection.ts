import { MAXIMUM_HEADS } from '../protocol/frame-limits.ts';
import { type Head, isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Access } from './access.ts';
import { BackOff } from './back-off.ts';
import type { Timer } from './clock.ts';
import {
  type ProblemError,
  SubscriptionRefusedError,
  TicketRefusedError,
  type WatchError,
} from './errors.ts';
import { Line, type LineEnd } from './line.ts';
import type { Platform } from './platform.ts';
import { Poller, type PollKey } from './poller.ts';
import { describeState, sameState } from './state.ts';
import { type Feed, nameOf, type Subscription } from './subscription.ts';
import type { Timings } from './timings.ts';

/** After how many sockets in a row that were refused, in spite of a ticket, WebSockets count as blocked. */
const REFUSALS = 3;

/**
 * Keeps a line to the server for as long as somebody watches over it: backs off, wakes, subscribes anew with what
 * each watcher has, lets a young line follow an old one, polls where sockets are blocked, and tells each watcher
 * honestly how fresh it is. With nobody left it closes; with somebody new it opens again.
 *
 * As a rule there is one line. While the next is made there are two: then each change comes twice, and the
 * watchers drop the second.
 */
export class Connection implements Feed {
  readonly #platform: Platform;
  readonly #timings: Timings;
  readonly #access: Access;
  readonly #backOff: BackOff;
  readonly #poller: Poller;
  /** Each with the time since when it has heard nothing, where it watched before by another connection. */
  readonly #entries = new Map<Subscription, number | undefined>();
  /** The oldest first. */
  readonly #lines = new Set<Line>();
  /** What the last poll of was answered. */
  readonly #polled = new Set<PollKey>();
  #retryTimer: Timer | undefined;
  #stableTimer: Timer | undefined;
  #rotateTimer: Timer | undefined;
  #staleTimer: Timer | undefined;
  #stopListening: (() => void) | undefined;
  #notBefore = 0;
  #refusals = 0;
  #failingSince: number | undefined;
  #confirmedAt: number | undefined;
  /** Topics may have missed something while they were not subscribed, and have no snapshot that would tell. */
  #catchUp = false;

  constructor(platform: Platform, timings: Timings, access: Access) {
    this.#platform = platform;
    this.#timings = timings;
    this.#access = access;
    this.#backOff = new BackOff(platform.random);
    this.#poller = new Poller(platform, timings, access, {
      since: (key) => this.#sinceOf(key),
      received: (job) => this.#received(job),
      answered: (key) => {
        this.#heard();
        this.#polled.add(key);
        if (key === '') this.#catchUp = false;
        this.#update();
      },
      failed: (key, error) => {
        this.#polled.delete(key);
        this.#trouble(error);
        this.#update();
      },
      refused: (key, error) => this.#pollRefused(key, error),
    });
  }

  /** Whether nobody watches over it. */
  get idle(): boolean {
    return this.#entries.size === 0;
  }

  /** @param lostAt since when the watcher has heard nothing, where it watched before by another connection */
  add(subscription: Subscription, lostAt?: number): void {
    this.#entries.set(subscription, lostAt);
    this.#stopListening ??= this.#platform.onWake(() => this.wake());
    if (this.#lines.size === 0 && this.#retryTimer === undefined) this.#dialAfter(0);
    for (const line of this.#lines) if (line.draining === undefined) line.subscribe(subscription);
    this.#update([subscription]);
  }

  remove(subscription: Subscription): void {
    if (!this.#entries.delete(subscription)) return;
    if (this.#entries.size === 0) this.#stop();
    const name = nameOf(subscription.target);
    const shared = [...this.#entries.keys()].some(({ target }) => nameOf(target) === name);
    for (const line of this.#lines) line.forget(subscription, shared ? undefined : subscription.target);
    this.#update([]);
  }

  /** The network came, or somebody looks again: what waits, waits no longer than the server asked for. */
  wake(): void {
    this.#poller.wake();
    for (const line of this.#lines) line.check();
    if (this.#retryTimer !== undefined) this.#dialAfter(0);
  }

  /** Dials after `delayMs`, but not before the server wants to be asked again. */
  #dialAfter(delayMs: number): void {
    const { clock } = this.#platform;
    this.#retryTimer?.cancel();
    this.#retryTimer = clock.schedule(Math.max(delayMs, this.#notBefore - clock.now()), () => {
      this.#retryTimer = undefined;
      this.#dial();
    });
  }

  #dial(): void {
    const line: Line = new Line(this.#platform, this.#timings, this.#backOff, {
      opened: () => this.#opened(line),
      heard: () => this.#heard(),
      received: (job) => this.#received(job),
      confirmed: (subscription) => this.#confirmed(subscription),
      refused: (subscription, error) => this.#close(subscription, new SubscriptionRefusedError(error)),
      doubted: () => this.#update(),
      trouble: (error) => this.#trouble(error),
      ended: (end) => this.#ended(line, end),
      heads: () => this.#heads(),
    });
    this.#lines.add(line);
    void line.dial(this.#access.ticket);
  }

  #opened(line: Line): void {
    const { clock, random } = this.#platform;
    const { rotateMs, stableMs } = this.#timings;
    this.#stableTimer?.cancel();
    this.#stableTimer = clock.schedule(stableMs, () => this.#backOff.reset());
    this.#rotateTimer?.cancel();
    this.#rotateTimer = clock.schedule(rotateMs * (1 - random() / 10), () => this.#dialAfter(0));
    for (const subscription of this.#entries.keys()) line.subscribe(subscription);
  }

  #heard(): void {
    this.#confirmedAt = this.#platform.clock.now();
  }

  #received(job: Job): void {
    for (const subscription of [...this.#entries.keys()]) subscription.receive(job);
  }

  #confirmed(subscription: Subscription): void {
    if (!this.#entries.has(subscription)) return;
    const lostAt = this.#entries.get(subscription) ?? this.#failingSince;
    if ('topic' in subscription.target && lostAt !== undefined) this.#catchUp = true;
    this.#entries.set(subscription, undefined);
    this.#update([subscription]);
  }

  #ended(line: Line, end: LineEnd): void {
    this.#lines.delete(line);
    if (line.draining !== undefined) {
      this.#update();
      return;
    }
    if (end.trouble !== undefined) this.#trouble(end.trouble);
    if (end.fatal !== undefined) {
      for (const subscription of [...this.#entries.keys()]) this.#close(subscription, end.fatal);
      return;
    }
    if (end.blocked !== undefined) this.#refusals += end.blocked === 'silent' ? REFUSALS : 1;
    const { clock } = this.#platform;
    const lines = [...this.#lines].filter((other) => other.draining === undefined);
    if (this.#failingSince === undefined && !lines.some((other) => other.settled)) {
      this.#failingSince = clock.now();
      this.#staleTimer = clock.schedule(this.#timings.staleAfterMs, () => this.#update());
    }
    // Unless the next line is being made already.
    if (lines.every((other) => other.settled)) {
      this.#notBefore = clock.now() + (end.retryAfterMs ?? 0);
      this.#dialAfter(this.#backOff.nextDelayMs(end.retryAfterMs));
    }
    this.#update();
  }

  #pollRefused(key: PollKey, problem: ProblemError): void {
    if (key === '') this.#catchUp = false;
    for (const subscription of [...this.#entries.keys()]) {
      if (keyOf(subscription) !== key || this.#confirming(subscription).length > 0) continue;
      const error =
        problem.status === 401
          ? new TicketRefusedError(problem.message, { cause: problem })
          : new SubscriptionRefusedError(problem.problem);
      this.#close(subscription, error);
    }
  }

  #trouble(error: unknown): void {
    for (const subscription of [...this.#entries.keys()]) subscription.trouble(error);
  }

  #close(subscription: Subscription, error: WatchError): void {
    this.remove(subscription);
    subscription.changeState({ status: 'closed', error });
  }

  /** Brings everything in line with what is confirmed now: which line is left behind, what is polled, what is told. */
  #update(changed: Iterable<Subscription> = [...this.#entries.keys()]): void {
    const subscriptions = [...this.#entries.keys()];
    for (const line of this.#lines) {
      if (!line.settled && line.open && subscriptions.every((each) => line.confirms(each)))
        this.#settle(line);
    }
    const keys = new Set<PollKey>(this.#catchUp ? [''] : []);
    if (this.#refusals >= REFUSALS) {
      for (const each of subscriptions) if (this.#confirming(each).length === 0) keys.add(keyOf(each));
    }
    for (const key of this.#polled) if (!keys.has(key)) this.#polled.delete(key);
    this.#poller.follow(keys);
    for (const each of changed) this.#tellState(each);
  }

  #settle(line: Line): void {
    line.settled = true;
    this.#refusals = 0;
    this.#failingSince = undefined;
    this.#staleTimer?.cancel();
    for (const older of this.#lines) {
      if (older === line) return;
      older.draining ??= this.#platform.clock.schedule(this.#timings.drainMs, () => {
        this.#lines.delete(older);
        older.close();
      });
    }
  }

  #tellState(subscription: Subscription): void {
    const lines = this.#confirming(subscription);
    const state = describeState(
      {
        subscribed: lines.length > 0,
        doubtful: lines.every((line) => line.doubtful),
        polled: this.#polled.has(keyOf(subscription)),
        failingSince: this.#entries.get(subscription) ?? this.#failingSince,
        confirmedAt: this.#confirmedAt,
        now: this.#platform.clock.now(),
      },
      this.#timings.staleAfterMs,
    );
    if (sameState(state, subscription.connection)) return;
    subscription.changeState(state);
  }

  #confirming(subscription: Subscription): Line[] {
    return [...this.#lines].filter((line) => line.open && line.confirms(subscription));
  }

  /** The older of what its watchers have, so that whoever lags behind is made good, too. */
  #heads(): Record<string, number> {
    const heads = new Map<string, number>();
    for (const subscription of this.#entries.keys()) {
      for (const [job, seq] of subscription.heads()) {
        if (heads.size < MAXIMUM_HEADS || heads.has(job))
          heads.set(job, Math.min(seq, heads.get(job) ?? seq));
      }
    }
    return Object.fromEntries(heads);
  }

  #sinceOf(key: PollKey): Head | undefined {
    let oldest: Head | undefined;
    for (const subscription of this.#entries.keys()) {
      if (keyOf(subscription) !== key) continue;
      const since = subscription.since();
      if (since === undefined) return undefined;
      if (oldest === undefined || isNewer(oldest, since)) oldest = since;
    }
    return oldest;
  }

  #stop(): void {
    for (const timer of [this.#retryTimer, this.#stableTimer, this.#rotateTimer, this.#staleTimer])
      timer?.cancel();
    this.#retryTimer = undefined;
    for (const line of this.#lines) line.close();
    this.#lines.clear();
    this.#failingSince = undefined;
    this.#catchUp = false;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}

function keyOf({ target }: Subscription): PollKey {
  return 'job' in target ? target.job : '';
}
