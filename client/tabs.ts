import type { Connection } from './connection.ts';
import type { Channel, TabLocks } from './platform.ts';
import { createTimers } from './timers.ts';
import type { Setup } from './timings.ts';
import type { News, Want } from './wants.ts';

/** What tabs say to each other: that this one leads now, what one wants, or what it hears. Never a token or ticket. */
type Message = { readonly lead: true } | { readonly from: string; readonly want: Want } | News;

/** What is shared is told to, and asked of, the feed of this tab. */
export interface TabFeed {
  /** What this tab wants. */
  want(wake?: boolean): Want;
  /** Takes what the leader tells. */
  hear(news: News): void;
  /** Nothing more comes for now. */
  lose(): void;
}

/** The place of a tab among those that share. */
export interface Tabs {
  /** The tab wants something else now, or somebody has just begun to look: whoever leads is told. */
  say(wake?: boolean): void;
  /** Tells the other tabs what the connection of this one tells. */
  post(news: News): void;
  /** Leads no more, and wants nothing. */
  close(): void;
}

/**
 * One connection for all tabs of a browser. Whoever holds the lock of that name leads: its connection takes what all
 * of them want, and all hear what it tells. When its tab closes or dies, the browser gives the lock to the next, and
 * the others say again what they want and what they have, so that nobody misses a state. Each tab also holds a lock
 * of its own, by which the leader learns of its end. A leader that does not answer is deposed.
 *
 * @returns undefined where there is nothing to share by: in Node, and in a browser without Web Locks or
 * BroadcastChannel
 */
export function shareBetweenTabs(
  setup: Setup,
  name: string,
  connection: Connection,
  { want, hear, lose }: TabFeed,
): Tabs | undefined {
  const { locks, openChannel } = setup;
  if (!locks || !openChannel) return undefined;
  /**
   * Its name among the others, once its lock is held. Another each time it joins: a lock of the last one may still be
   * asked for by a leader that hangs.
   */
  let tab: string | undefined;
  const timers = createTimers(setup.clock);
  const followers = new Set<string>();
  let channel: Channel | undefined;
  let membership = new AbortController();
  let leading = false;

  const post = (message: Message) => channel?.postMessage(message);

  /** Holds a lock as a member; `lost` is called when another has stolen it, or it cannot be had at all. */
  const hold = (
    lock: string,
    options: Parameters<TabLocks['request']>[1],
    won: () => void,
    lost?: () => void,
  ) => {
    const { signal } = membership;
    locks
      .request(lock, options, () => {
        if (!signal.aborted) won();
        // Who was told may have left at once.
        return signal.aborted || new Promise((resolve) => signal.addEventListener('abort', resolve));
      })
      .catch(() => {
        if (!signal.aborted) lost?.();
      });
  };

  const join = () => {
    membership = new AbortController();
    const id = crypto.randomUUID();
    try {
      channel = openChannel(name);
    } catch {
      return lead(); // a browser that forbids to store forbids to talk, too: then each tab leads itself
    }
    channel.onmessage = ({ data }) => heard(data as Message); // only this client of this origin knows the name
    // Not before the lock is held: a leader that finds it free takes the tab for dead.
    hold(`${name} ${id}`, membership, () => {
      tab = id;
      ask();
    });
    run();
  };

  /** Waits for the lead, behind those who wait already; `steal` takes it. Who waits twice leads no worse. */
  function run(options: Parameters<TabLocks['request']>[1] = membership): void {
    hold(name, options, lead, () => {
      // Without having led: there are no locks to be had here, as in a sandboxed frame. Then each tab leads itself.
      if (!leading) return lead();
      resign();
      run();
      ask();
    });
  }

  function lead(): void {
    timers.clear();
    leading = true;
    post({ lead: true });
    lose();
    if (leading) connection.want('', want());
  }

  function resign(): void {
    leading = false;
    followers.clear();
    connection.close();
    lose();
  }

  /** Asks the leader for what this tab wants. The answer shows that there is one. */
  function ask(wake?: boolean): void {
    if (leading || !tab) return;
    post({ from: tab, want: want(wake) });
    // Of many that find a leader silent at the same moment, the first deposes it before the others try.
    timers.set('answer', (wake ? setup.wakeAnswerMs : setup.answerMs) * (1 - setup.random() / 2), () => {
      lose();
      run({ steal: true });
    });
  }

  function heard(message: Message): void {
    if ('want' in message) {
      if (leading) serve(message.from, message.want);
    } else if (!leading) {
      // Else another leads: it has stolen the lock, which this tab is about to hear.
      if ('lead' in message) {
        lose();
        ask();
      } else {
        timers.cancel('answer');
        timers.set('ask', setup.pingMs, ask);
        hear(message);
      }
    }
  }

  const serve = (from: string, wanted: Want) => {
    if (!followers.has(from)) {
      followers.add(from);
      const gone = () => {
        // Unless this tab leads no more.
        if (!followers.delete(from)) return;
        connection.want(from, { names: [], heads: [] });
        leaveIfUnused();
      };
      // Refused only when this tab is itself going: then nobody is left to be dropped.
      locks.request(`${name} ${from}`, membership, gone).catch(() => {});
    }
    connection.want(from, wanted);
  };

  function leaveIfUnused(): void {
    if (!(want().names[0] || followers.size)) close();
  }

  function close(): void {
    if (leading) resign();
    channel?.close();
    channel = undefined;
    tab = undefined;
    timers.clear();
    membership.abort();
  }

  return {
    say(wake) {
      if (!(channel || leading)) join();
      if (leading) connection.want('', want(wake));
      else if (wake) ask(true);
      // Once for all that begins and ends in this turn.
      else timers.set('soon', 0, ask);
      leaveIfUnused();
    },
    post(news) {
      if (followers.size) post(news);
    },
    close,
  };
}
