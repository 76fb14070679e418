import { isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { Access } from './access.ts';
import { backOffMs } from './back-off.ts';
import type { Refusal } from './errors.ts';
import { SILENT, SLOWED_MS } from './limits.ts';
import { dial, type Line, type LineEnd, type LineListener } from './line.ts';
import { createPoller, type PollerListener } from './poller.ts';
import type { ConnectionState } from './state.ts';
import { createTimers } from './timers.ts';
import type { Setup } from './timings.ts';
import { covers, jobOf, type TopicName } from './topic-name.ts';
import { type News, oldestOf, type Want } from './wants.ts';

/** Whom a connection tells. */
export interface ConnectionListener {
  /** For all tabs that it serves. */
  tell(news: News): void;
  /** A fault that the connection gets over by itself. */
  trouble(error: unknown): void;
}

/** See `createConnection`. */
export interface Connection {
  /** Serves a tab with what it wants now, in place of what it wanted before. It is told the states of all that. */
  want(tab: string, want: Want): void;
  /** Serves nobody any more. */
  close(): void;
}

/**
 * Keeps a line to the server for as long as some tab wants something: backs off, wakes, subscribes anew with what
 * the tabs have, lets a young line follow an old one, polls where sockets are blocked, and tells honestly how fresh
 * it all is. With nobody left it closes; with somebody new it opens again.
 *
 * As a rule there is one line. While the next is made there are two: then each change comes twice, and the
 * watchers drop the second.
 *
 * Whoever is told may close or begin watches at once, so each function tells last.
 */
export function createConnection(
  setup: Setup,
  { ticket, poll }: Access,
  { tell, trouble }: ConnectionListener,
): Connection {
  const { clock, random } = setup;
  const timers = createTimers(clock);
  /** What each tab wants. */
  const wants = new Map<string, readonly TopicName[]>();
  /** All that they want. */
  const names = new Set<TopicName>();
  /** What all of them have, by what they said and were told. */
  let has = oldestOf([]);
  /** The line over which all was confirmed that was wanted then. */
  let current: Line | undefined;
  /** The line that is being made, to be the next. */
  let coming: Line | undefined;
  /** The line before: still hears what was posted to it before the current one had followed it. */
  let former: Line | undefined;
  /** How many lines have ended since one was stable. */
  let attempts = 0;
  /** A line waits to be made. */
  let waiting = false;
  /** When the server has said to come back, which neither somebody's looking nor a new watch changes. */
  let notBefore = 0;
  /** How long that was, since the clock may be set back meanwhile. */
  let patienceMs = 0;
  /** How many sockets were refused since one was not. */
  let refused = 0;
  let failingSince: number | undefined;
  let confirmedAt: number | undefined;
  /** Topics have missed what was before they were subscribed, and have no snapshot that would tell. */
  let catchUp = false;

  /** Whether the server has been silent for longer than a live connection may be. */
  const isDoubtful = () => clock.now() - (confirmedAt ?? 0) > setup.pingMs + setup.answerMs + SLOWED_MS;
  const isConfirmed = (name: TopicName) => [current, coming].some((line) => line?.confirmed.has(name));

  const listener: LineListener & PollerListener = {
    heads: () => has,
    heard,
    receive,
    answered(key, cause) {
      catchUp &&= !!key;
      heard();
      if (cause) {
        const refusal = cause.status === 401 ? { cause } : cause.problem;
        for (const name of [...names]) if (jobOf(name) === key && !isConfirmed(name)) refuse(name, refusal);
        // What topics have missed stays unknown, though they may be live.
        if (!key) trouble(cause);
      }
      update();
    },
    opened(line) {
      timers.set('stable', setup.stableMs, () => {
        attempts = 0;
      });
      timers.set('rotate', setup.rotateMs * (1 - random() / 10), () => dialAfter(0));
      for (const name of names) line.subscribe(name);
    },
    confirmed(name) {
      // Also where the line before seemed to have it: that may have been silent for a while.
      if (!jobOf(name)) {
        catchUp = true;
        // A list that was asked for before may be older than the subscription.
        poller.wake();
      }
      update();
    },
    refused: refuse,
    failed: fail,
    trouble,
    // Timers stand still while a machine sleeps: the first one after it must not leave the light on `live`.
    due: update,
    ended,
  };
  const poller = createPoller(setup, poll, listener);

  function dialAfter(delayMs: number): void {
    if (!ticket) return;
    waiting = true;
    timers.set('dial', Math.max(delayMs, Math.min(patienceMs, notBefore - clock.now())), () => {
      waiting = false;
      coming ??= dial(setup, ticket, listener);
    });
  }

  function heard(): void {
    const wasDoubtful = isDoubtful();
    confirmedAt = clock.now();
    if (wasDoubtful) update();
  }

  function receive(job: Job): void {
    const { id, epoch, seq } = job;
    // What nobody wants any more is asked for once, and then forgotten.
    const over = isTerminal(job.status);
    if (over || ![...names].some((name) => covers(name, job))) has.delete(id);
    else if (isNewer(job, has.get(id))) has.set(id, { epoch, seq });
    // A tab that hangs may want it still: whoever watches the job next is to be answered anew.
    if (over) forget(`job:${id}`);
    tell({ job });
  }

  /** From now on nothing is confirmed, unless a line stands. */
  function fail(fault: unknown): void {
    if (failingSince === undefined) {
      failingSince = clock.now();
      timers.set('stale', setup.staleAfterMs, update);
    }
    update();
    if (fault) trouble(fault);
  }

  function ended(line: Line, { refusal, retryAfterMs, refused: more = 0, trouble: fault }: LineEnd): void {
    if (line === former) return;
    timers.cancel('stable');
    // What failed beside it, as a subscription that was put off, is no longer why nothing is confirmed.
    if (line === current) current = failingSince = undefined;
    else coming = undefined;
    refused += more;
    // Of a copy: who is refused may ask anew at once, which waits for its own answer.
    if (refusal) for (const name of [...names]) refuse(name, refusal);
    if (!names.size) return;
    if (!coming) {
      const delayMs = backOffMs(random, attempts++, retryAfterMs);
      if (retryAfterMs) {
        patienceMs = delayMs;
        notBefore = clock.now() + delayMs;
      }
      dialAfter(delayMs);
    }
    fail(fault);
  }

  /** Brings everything in line with what is confirmed now: which line is left behind, what is polled, what is told. */
  function update(): void {
    const next = coming;
    if (next && [...names].every((name) => next.confirmed.has(name))) {
      former?.close();
      former = current;
      timers.set('drain', setup.drainMs, () => former?.close());
      current = next;
      coming = undefined;
    }
    const unconfirmed = [...names].filter((name) => !isConfirmed(name));
    if (!unconfirmed[0]) refused = 0;
    if (unconfirmed.every((name) => poller.answers(jobOf(name)))) failingSince = undefined;
    const polled = ticket && refused < SILENT ? [] : unconfirmed.map(jobOf);
    poller.want(polled.concat(catchUp ? '' : []));
    tell({ states: [...names].map((name) => [name, stateOf(name)]) });
  }

  function stateOf(name: TopicName): ConnectionState {
    const confirmed = isConfirmed(name);
    if (confirmed && !isDoubtful()) return { status: 'live' };
    if (poller.answers(jobOf(name))) return { status: 'polling' };
    if (!confirmed) {
      if (failingSince === undefined) return { status: 'connecting' };
      if (clock.now() - failingSince < setup.staleAfterMs)
        return { status: 'reconnecting', since: failingSince };
    }
    return { status: 'stale', confirmedAt };
  }

  function refuse(name: TopicName, refusal: Refusal): void {
    forget(name);
    tell({ states: [[name, undefined, refusal]] });
  }

  function forget(name: TopicName): void {
    if (!names.delete(name)) return;
    for (const line of [current, coming]) line?.unsubscribe(name);
    if (names.size) return;
    timers.clear();
    for (const line of [former, current, coming]) line?.close();
    current = coming = undefined;
    waiting = catchUp = false;
    has.clear();
    update();
  }

  return {
    want(tab, wanted) {
      wants.set(tab, wanted.names);
      const before = has;
      has = oldestOf([before, wanted.heads]);
      for (const name of wanted.names) {
        const job = jobOf(name);
        // New, or new to somebody who has nothing of it yet while the others have.
        if (!names.has(name) || (before.get(job) && !has.get(job))) {
          // A poll that is held would hold the answer to who is new, too.
          if (names.has(name)) poller.wake();
          names.add(name);
          for (const line of [current, coming]) line?.subscribe(name);
        }
      }
      const all = [...wants.values()].flat();
      for (const name of names) if (!all.includes(name)) forget(name);
      if (wanted.wake) {
        poller.wake();
        for (const line of [current, coming]) line?.wake();
      }
      if (names.size && (waiting ? wanted.wake : !(current ?? coming))) dialAfter(0);
      update();
    },
    close() {
      wants.clear();
      for (const name of names) forget(name);
    },
  };
}
