import { MAXIMUM_HEADS } from '../protocol/frame-limits.ts';
import { type Head, isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Access } from './access.ts';
import { BackOff } from './back-off.ts';
import type { Timer } from './clock.ts';
import { SubscriptionRefusedError, TicketRefusedError, type WatchError } from './errors.ts';
import { dial, type Line, type LineEnd } from './line.ts';
import type { Platform } from './platform.ts';
import { createPoller, type PollKey } from './poller.ts';
import { describeState, sameState } from './state.ts';
import { type Feed, nameOf, type Subscription } from './subscription.ts';
import type { Timings } from './timings.ts';

/** After how many sockets in a row that were refused, in spite of a ticket, WebSockets count as blocked. */
const REFUSALS = 3;

/** See `createConnection`. */
export interface Connection extends Feed {
  /** @param lostAt since when the watcher has heard nothing, where it watched before by another connection */
  add(subscription: Subscription, lostAt?: number): void;
  /** The network came, or somebody looks again: what waits, waits no longer than the server asked for. */
  wake(): void;
  /** Whether nobody watches over it. */
  isIdle(): boolean;
}

/**
 * Keeps a line to the server for as long as somebody watches over it: backs off, wakes, subscribes anew with what
 * each watcher has, lets a young line follow an old one, polls where sockets are blocked, and tells each watcher
 * honestly how fresh it is. With nobody left it closes; with somebody new it opens again.
 *
 * As a rule there is one line. While the next is made there are two: then each change comes twice, and the
 * watchers drop the second.
 */
export function createConnection(platform: Platform, timings: Timings, access: Access): Connection {
  const { clock, random } = platform;
  const backOff = new BackOff(random);
  /** Each with the time since when it has heard nothing, where it watched before by another connection. */
  const watchers = new Map<Subscription, number | undefined>();
  /** The oldest first. */
  const lines = new Set<Line>();
  /** What the last poll of was answered. */
  const polled = new Set<PollKey>();
  let retryTimer: Timer | undefined;
  let stableTimer: Timer | undefined;
  let rotateTimer: Timer | undefined;
  let staleTimer: Timer | undefined;
  let stopListening: (() => void) | undefined;
  let notBefore = 0;
  let refusals = 0;
  let failingSince: number | undefined;
  let confirmedAt: number | undefined;
  /** Topics may have missed something while they were not subscribed, and have no snapshot that would tell. */
  let catchUp = false;

  const poller = createPoller(platform, timings, access, {
    since: sinceOf,
    received,
    answered(key) {
      heard();
      polled.add(key);
      if (key === '') catchUp = false;
      update();
    },
    failed(key, error) {
      polled.delete(key);
      trouble(error);
      update();
    },
    refused(key, problem) {
      if (key === '') catchUp = false;
      for (const watcher of [...watchers.keys()]) {
        if (keyOf(watcher) !== key || confirming(watcher).length > 0) continue;
        const { message } = problem;
        close(
          watcher,
          problem.status === 401
            ? new TicketRefusedError(message, { cause: problem })
            : new SubscriptionRefusedError(problem.problem),
        );
      }
    },
  });

  /** Dials after `delayMs`, but not before the server wants to be asked again. */
  function dialAfter(delayMs: number): void {
    retryTimer?.cancel();
    retryTimer = clock.schedule(Math.max(delayMs, notBefore - clock.now()), () => {
      retryTimer = undefined;
      const line: Line = dial(platform, timings, access.ticket, backOff, {
        opened: () => opened(line),
        heard,
        received,
        confirmed,
        refused: (watcher, error) => close(watcher, new SubscriptionRefusedError(error)),
        doubted: update,
        trouble,
        ended: (end) => ended(line, end),
        heads,
      });
      lines.add(line);
    });
  }

  function opened(line: Line): void {
    stableTimer?.cancel();
    stableTimer = clock.schedule(timings.stableMs, () => backOff.reset());
    rotateTimer?.cancel();
    rotateTimer = clock.schedule(timings.rotateMs * (1 - random() / 10), () => dialAfter(0));
    for (const watcher of watchers.keys()) line.subscribe(watcher);
  }

  function heard(): void {
    confirmedAt = clock.now();
  }

  function received(job: Job): void {
    for (const watcher of [...watchers.keys()]) watcher.receive(job);
  }

  function trouble(error: unknown): void {
    for (const watcher of [...watchers.keys()]) watcher.trouble(error);
  }

  function confirmed(watcher: Subscription): void {
    if (!watchers.has(watcher)) return;
    const lostAt = watchers.get(watcher) ?? failingSince;
    if ('topic' in watcher.target && lostAt !== undefined) catchUp = true;
    watchers.set(watcher, undefined);
    update([watcher]);
  }

  function ended(line: Line, end: LineEnd): void {
    lines.delete(line);
    if (end.trouble !== undefined) trouble(end.trouble);
    if (end.fatal !== undefined) {
      for (const watcher of [...watchers.keys()]) close(watcher, end.fatal);
    } else if (line.draining === undefined) {
      if (end.blocked !== undefined) refusals += end.blocked === 'silent' ? REFUSALS : 1;
      comeBack(end.retryAfterMs);
    }
    update();
  }

  function comeBack(retryAfterMs: number | undefined): void {
    const others = [...lines].filter((other) => other.draining === undefined);
    if (failingSince === undefined && !others.some((other) => other.settled)) {
      failingSince = clock.now();
      staleTimer = clock.schedule(timings.staleAfterMs, update);
    }
    // Unless the next line is being made already.
    if (others.every((other) => other.settled)) {
      notBefore = clock.now() + (retryAfterMs ?? 0);
      dialAfter(backOff.nextDelayMs(retryAfterMs));
    }
  }

  function close(watcher: Subscription, error: WatchError): void {
    remove(watcher);
    watcher.changeState({ status: 'closed', error });
  }

  /** Brings everything in line with what is confirmed now: which line is left behind, what is polled, what is told. */
  function update(changed: Iterable<Subscription> = [...watchers.keys()]): void {
    for (const line of lines) {
      if (line.settled || !line.isOpen() || ![...watchers.keys()].every(line.confirms)) continue;
      line.settled = true;
      refusals = 0;
      failingSince = undefined;
      staleTimer?.cancel();
      leaveBehind(line);
    }
    const keys = new Set<PollKey>(catchUp ? [''] : []);
    if (refusals >= REFUSALS) {
      for (const watcher of watchers.keys()) if (confirming(watcher).length === 0) keys.add(keyOf(watcher));
    }
    for (const key of polled) if (!keys.has(key)) polled.delete(key);
    poller.follow(keys);
    for (const watcher of changed) tellState(watcher);
  }

  function leaveBehind(newest: Line): void {
    for (const line of lines) {
      if (line === newest) return;
      line.draining ??= clock.schedule(timings.drainMs, () => {
        lines.delete(line);
        line.close();
      });
    }
  }

  function tellState(watcher: Subscription): void {
    const over = confirming(watcher);
    const state = describeState(
      {
        subscribed: over.length > 0,
        doubtful: over.every((line) => line.isDoubtful()),
        polled: polled.has(keyOf(watcher)),
        failingSince: watchers.get(watcher) ?? failingSince,
        confirmedAt,
        now: clock.now(),
      },
      timings.staleAfterMs,
    );
    if (!sameState(state, watcher.connection)) watcher.changeState(state);
  }

  function confirming(watcher: Subscription): Line[] {
    return [...lines].filter((line) => line.confirms(watcher));
  }

  /** The older of what its watchers have, so that whoever lags behind is made good, too. */
  function heads(): Record<string, number> {
    const oldest = new Map<string, number>();
    for (const watcher of watchers.keys()) {
      for (const [job, seq] of watcher.heads()) {
        if (oldest.size < MAXIMUM_HEADS || oldest.has(job))
          oldest.set(job, Math.min(seq, oldest.get(job) ?? seq));
      }
    }
    return Object.fromEntries(oldest);
  }

  function sinceOf(key: PollKey): Head | undefined {
    let oldest: Head | undefined;
    for (const watcher of watchers.keys()) {
      if (keyOf(watcher) !== key) continue;
      const since = watcher.since();
      if (since === undefined) return undefined;
      if (oldest === undefined || isNewer(oldest, since)) oldest = since;
    }
    return oldest;
  }

  function remove(watcher: Subscription): void {
    if (!watchers.delete(watcher)) return;
    if (watchers.size === 0) stop();
    const name = nameOf(watcher.target);
    const shared = [...watchers.keys()].some(({ target }) => nameOf(target) === name);
    for (const line of lines) line.forget(watcher, shared ? undefined : watcher.target);
    update([]);
  }

  function stop(): void {
    for (const timer of [retryTimer, stableTimer, rotateTimer, staleTimer]) timer?.cancel();
    retryTimer = undefined;
    for (const line of lines) line.close();
    lines.clear();
    failingSince = undefined;
    catchUp = false;
    stopListening?.();
    stopListening = undefined;
  }

  function wake(): void {
    poller.wake();
    for (const line of lines) line.check();
    if (retryTimer !== undefined) dialAfter(0);
  }

  return {
    add(watcher, lostAt) {
      watchers.set(watcher, lostAt);
      stopListening ??= platform.onWake(wake);
      if (lines.size === 0 && retryTimer === undefined) dialAfter(0);
      for (const line of lines) if (line.draining === undefined) line.subscribe(watcher);
      update([watcher]);
    },
    remove,
    wake,
    isIdle: () => watchers.size === 0,
  };
}

function keyOf({ target }: Subscription): PollKey {
  return 'job' in target ? target.job : '';
}
