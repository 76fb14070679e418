import type { Access } from './access.ts';
import { createConnection } from './connection.ts';
import { errorOf } from './errors.ts';
import type { ConnectionState } from './state.ts';
import { shareBetweenTabs } from './tabs.ts';
import type { Setup } from './timings.ts';
import { type News, oldestOf, type Want } from './wants.ts';
import type { Feed, Watcher } from './watcher.ts';

/**
 * Stands between watchers and a connection: says in one what all of them want, and tells each what it is to hear.
 *
 * @param shared by which name the connection is shared with other tabs; absent is: it is this tab's own
 * @param unused called when the last watcher has gone
 */
export function createFeed(setup: Setup, access: Access, shared: string | false, unused: () => void): Feed {
  const watchers = new Set<Watcher>();
  let stopListening: (() => void) | undefined;

  const connection = createConnection(setup, access, {
    tell(news) {
      tabs?.post(news);
      hear(news);
    },
    trouble(error) {
      for (const watcher of [...watchers]) watcher.trouble(error);
    },
  });
  const tabs = shared ? shareBetweenTabs(setup, shared, connection, { want, hear, lose }) : undefined;

  function want(wake?: boolean): Want {
    const all = [...watchers];
    const names = [...new Set(all.map(({ topic }) => topic))];
    return { names, heads: oldestOf(all.map(({ heads }) => heads)), wake };
  }

  function hear(news: News): void {
    if ('job' in news) for (const watcher of [...watchers]) watcher.receive(news.job);
    else
      for (const [name, state, refusal] of news.states) {
        const told: ConnectionState = refusal ? { status: 'closed', error: errorOf(refusal) } : state;
        for (const watcher of [...watchers]) if (watcher.topic === name) watcher.turn(told);
      }
  }

  /** The connection is gone: from now on nobody hears anything. */
  function lose(): void {
    for (const watcher of [...watchers]) {
      if (watcher.connection.status !== 'connecting')
        watcher.turn({ status: 'reconnecting', since: setup.clock.now() });
    }
  }

  function say(wake?: boolean): void {
    if (tabs) tabs.say(wake);
    else connection.want('', want(wake));
  }

  return {
    add(watcher) {
      watchers.add(watcher);
      stopListening ??= setup.onWake(() => say(true));
      say();
    },
    remove(watcher) {
      if (!watchers.delete(watcher)) return;
      if (!watchers.size) {
        stopListening?.();
        stopListening = undefined;
        unused();
      }
      say();
    },
    say,
    close() {
      for (const watcher of [...watchers]) watcher.close();
      tabs?.close();
    },
  };
}
