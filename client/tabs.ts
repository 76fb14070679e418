import type { Job } from '../protocol/job.ts';
import type { Timer } from './clock.ts';
import type { Connection } from './connection.ts';
import { type Channel, type Platform, surroundingTabs } from './platform.ts';
import { createRemote, type Remote } from './remote-subscription.ts';
import { sameState } from './state.ts';
import type { Feed, Subscription } from './subscription.ts';
import { keyedState, type Message, stateOf } from './tab-messages.ts';
import type { Timings } from './timings.ts';

/** A watcher of this tab. */
interface Local {
  readonly key: number;
  /** Since when it has heard nothing, where it watched before. */
  lostAt: number | undefined;
}

/** A feed that must be left when the client closes, because it may serve other tabs. */
export interface TabFeed extends Feed {
  leave(): void;
}

/**
 * One connection for all tabs of a browser. Whoever holds the lock of that name leads: it has the connection, watches for
 * the others, too, and tells all what it hears. When its tab closes or dies, the browser gives the lock to the
 * next, and the others say again what they want and what they have, so that nobody misses a state. Each tab also
 * holds a lock of its own, by which the leader learns of its end. A leader that does not answer is deposed.
 *
 * @param caller names the API and who calls it: tabs of the same origin that say the same share
 * @returns undefined where there is nothing to share by: in Node, and in a browser without Web Locks or
 * BroadcastChannel
 */
export function shareBetweenTabs(
  platform: Platform,
  timings: Timings,
  caller: string,
  connection: Connection,
): TabFeed | undefined {
  const { locks, openChannel, ...rest } = { ...surroundingTabs(), ...platform };
  if (locks === undefined || openChannel === undefined) return undefined;
  // The number is the version of what tabs say to each other.
  return createTabFeed({ ...rest, locks, openChannel }, timings, `jobwire 1 ${caller}`, connection);
}

function createTabFeed(
  { clock, locks, onWake, openChannel }: Platform & Required<Pick<Platform, 'locks' | 'openChannel'>>,
  { answerMs, pingMs, wakeAnswerMs }: Timings,
  name: string,
  connection: Connection,
): TabFeed {
  const tab = crypto.randomUUID();
  const locals = new Map<Subscription, Local>();
  const remotes = new Map<string, Map<number, Remote>>();
  let keys = 0;
  let channel: Channel | undefined;
  let campaign = new AbortController();
  let membership = new AbortController();
  let leading = false;
  let mayWant = false;
  let timer: Timer | undefined;
  let lastPosted: Job | undefined;
  let stopListening = () => {};

  const post = (message: Message) => channel?.postMessage(message);

  /** Holds a lock until `signal` aborts; `lost` is called when another has stolen it, or it cannot be had at all. */
  function hold(lock: string, signal: AbortSignal, steal: boolean, won: () => void, lost: () => void): void {
    locks
      .request(lock, steal ? { steal } : { signal }, () => {
        if (signal.aborted) return undefined;
        won();
        return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      })
      .catch(() => {
        if (!signal.aborted) lost();
      });
  }

  function join(): void {
    if (channel !== undefined) return;
    channel = openChannel(name);
    channel.onmessage = ({ data }) => heard(data as Message); // only this client of this origin knows the name
    membership = new AbortController();
    stopListening = onWake(() => want(true));
    // Not before the lock is held: a leader that finds it free takes the tab for dead.
    const member = () => {
      mayWant = true;
      want(false);
    };
    hold(`${name} ${tab}`, membership.signal, false, member, () => {});
    run(false);
  }

  function run(steal: boolean): void {
    campaign.abort();
    campaign = new AbortController();
    hold(name, campaign.signal, steal, lead, () => {
      if (leading) {
        resign();
        run(false);
        want(false);
      } else {
        lead(); // there are no locks to be had here, as in a sandboxed frame: then each tab is its own leader
      }
    });
  }

  function lead(): void {
    timer?.cancel();
    leading = true;
    post({ type: 'lead' });
    lose();
    for (const [subscription, { lostAt }] of locals) connection.add(subscription, lostAt);
  }

  function resign(): void {
    leading = false;
    for (const from of [...remotes.keys()]) drop(from);
    for (const subscription of locals.keys()) connection.remove(subscription);
    lose();
  }

  function leave(): void {
    if (channel === undefined) return;
    if (leading) resign();
    else post({ type: 'want', from: tab, wants: [], wake: false });
    channel.close();
    channel = undefined;
    mayWant = false;
    timer?.cancel();
    campaign.abort();
    membership.abort();
    stopListening();
  }

  function leaveIfUnused(): void {
    if (locals.size === 0 && !(leading && remotes.size > 0)) leave();
  }

  /** The leader is gone: from now on nobody hears anything. */
  function lose(): void {
    for (const [
      {
        connection: { status },
      },
      local,
    ] of locals) {
      if (status !== 'connecting') local.lostAt ??= clock.now();
    }
  }

  /** Says what this tab wants. The answer shows that there is a leader. */
  function want(wake: boolean): void {
    if (leading || !mayWant) return;
    const wants = [...locals].map(([subscription, local]) => ({
      key: local.key,
      target: subscription.target,
      since: subscription.since(),
      heads: [...subscription.heads()],
      lostAt: local.lostAt,
    }));
    post({ type: 'want', from: tab, wants, wake });
    again(wake ? wakeAnswerMs : answerMs, () => {
      lose();
      for (const [subscription, { lostAt }] of locals) {
        if (lostAt !== undefined) subscription.changeState({ status: 'reconnecting', since: lostAt });
      }
      run(true);
    });
  }

  function again(delayMs: number, callback: () => void): void {
    timer?.cancel();
    timer = clock.schedule(delayMs, callback);
  }

  function heard(message: Message): void {
    if (message.type === 'want') {
      if (leading) serve(message);
    } else if (leading) {
      return; // another leads: it has stolen the lock, which this tab is about to hear
    } else if (message.type === 'lead') {
      lose();
      want(false);
    } else if (message.type === 'job') {
      for (const subscription of [...locals.keys()]) subscription.receive(message.job);
    } else if (message.to === tab) {
      again(pingMs, () => want(false));
      for (const [subscription, local] of [...locals]) {
        const keyed = message.states.find(([key]) => key === local.key);
        if (keyed === undefined) continue;
        const state = stateOf(keyed);
        if (state.status === 'live') local.lostAt = undefined;
        if (!sameState(state, subscription.connection)) subscription.changeState(state);
      }
    }
  }

  function serve({ from, wants, wake }: Message & { type: 'want' }): void {
    if (wants.length === 0) {
      drop(from);
      return;
    }
    let known = remotes.get(from);
    if (known === undefined) {
      known = new Map();
      remotes.set(from, known);
      const gone = () => drop(from);
      // Refused only when this tab leads no more, or is itself going: then nobody is left to be dropped.
      locks.request(`${name} ${from}`, { signal: campaign.signal }, gone).catch(() => {});
    }
    for (const [key, remote] of known) {
      if (wants.some((wanted) => wanted.key === key)) continue;
      known.delete(key);
      connection.remove(remote);
    }
    for (const wanted of wants) {
      const remote = known.get(wanted.key);
      remote?.renew(wanted);
      if (remote !== undefined) continue;
      const added = createRemote(wanted, postJob, () => tellStates(from));
      known.set(wanted.key, added);
      connection.add(added, wanted.lostAt);
    }
    if (wake) connection.wake();
    tellStates(from);
  }

  function drop(from: string): void {
    const gone = remotes.get(from);
    remotes.delete(from);
    for (const remote of gone?.values() ?? []) connection.remove(remote);
    if (leading) leaveIfUnused();
  }

  function tellStates(to: string): void {
    const states = [...(remotes.get(to) ?? [])].map(([key, remote]) => keyedState(key, remote.connection));
    post({ type: 'states', to, states });
  }

  /** Once for all tabs, however many of their watchers hear of it. */
  function postJob(job: Job): void {
    if (job !== lastPosted) post({ type: 'job', job });
    lastPosted = job;
  }

  return {
    add(subscription) {
      keys += 1;
      locals.set(subscription, { key: keys, lostAt: undefined });
      join();
      if (leading) connection.add(subscription);
      else again(0, () => want(false));
    },
    remove(subscription) {
      if (!locals.delete(subscription)) return;
      connection.remove(subscription);
      if (!leading) again(0, () => want(false));
      leaveIfUnused();
    },
    leave,
  };
}
