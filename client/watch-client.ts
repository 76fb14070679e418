import type { Watch } from '../protocol/http.ts';
import type { Topic } from '../protocol/topic.ts';
import { type Access, accessTo, type TicketSource } from './access.ts';
import { type Connection, createConnection } from './connection.ts';
import { type JobWatch, JobWatcher } from './job-watch.ts';
import { type Platform, surroundingPlatform } from './platform.ts';
import type { Feed } from './subscription.ts';
import type { shareBetweenTabs } from './tabs.ts';
import { DEFAULT_TIMINGS, type Timings } from './timings.ts';
import { type TopicWatch, TopicWatcher } from './topic-watch.ts';
import { WatchApi } from './watch-api.ts';
import type { Watcher } from './watcher.ts';

/** Where the API is, and what the client takes from its surroundings; tests put their own in. */
export interface WatchClientOptions extends Partial<Platform> {
  /** The URL that `/jobs` is appended to. */
  readonly api: string;
  readonly timings?: Partial<Timings>;
  /**
   * `shareBetweenTabs` of tabs.ts, so that the tabs of a browser that watch as the caller share one connection; absent
   * is: each has its own. It is handed in because it weighs more than a kilobyte, which not every page needs.
   * All tabs of this origin with this API and `subject` count as one caller. Watches by token or callback are never
   * shared. Where the browser has no Web Locks or no BroadcastChannel, and in Node, nothing is shared.
   */
  readonly tabs?: typeof shareBetweenTabs | undefined;
  /**
   * Who the caller is, where the tabs of one browser may be signed in differently (as by a `fetch` that adds a token
   * of the tab's own): tabs share with those of the same subject only. Any text; it is never sent anywhere.
   */
  readonly subject?: string;
}

/**
 * How a job is watched. Without `token` and `ticket` it is watched as the caller. Watches of one source of tickets
 * share a connection: all of the caller's share one, and so do those of one token; without a token, those of one
 * callback.
 */
export interface WatchJobOptions {
  /** The job's token: allows this one job, so its watches have a connection of their own. */
  readonly token?: string | undefined;
  /**
   * The ticket of the first connect, such as `watch` of a created job, which spares a request; later ones come by
   * `token`, or without one as the caller over a connection of this watch's own. Or a callback that gets the ticket
   * of every connect; with it alone nothing can be polled where WebSockets are blocked.
   */
  readonly ticket?: Watch | TicketSource | undefined;
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined;
}

/** See `createWatchClient`. */
export interface WatchClient {
  /** Watches one job until it is terminal. Never throws: what goes wrong comes as events, or by `finished()`. */
  watchJob(id: string, options?: WatchJobOptions): JobWatch;
  /** Watches all jobs of the caller (`owner:me`) or those with a tag, new ones included. Never throws. */
  watchTopic(topic: Topic, options?: { signal?: AbortSignal | undefined }): TopicWatch;
  /** Ends all watches, and with them the connections. */
  close(): void;
}

/**
 * The half of the client that watches, for pages where every kilobyte counts: at most 6 KB gzipped. Opens nothing
 * until something is watched.
 */
export function createWatchClient(options: WatchClientOptions): WatchClient {
  const platform: Platform = { ...surroundingPlatform(), ...options };
  const timings: Timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const api = new WatchApi(options.api, platform.fetch);
  const connection = createConnection(platform, timings, accessTo(api, { id: '', token: undefined }));
  const tabs = options.tabs?.(platform, timings, `${api.base} ${options.subject}`, connection);
  const caller: Feed = tabs ?? connection;
  /** By token or callback, while somebody watches. */
  const connections = new Map<unknown, Connection>();
  const watchers = new Set<Watcher>();

  function begin<Started extends Watcher>(watcher: Started, signal: AbortSignal | undefined): Started {
    watchers.add(watcher);
    watcher.on((event) => {
      if (event.type !== 'connection' || event.connection.status !== 'closed') return;
      watchers.delete(watcher);
      for (const [source, connection] of connections) if (connection.isIdle()) connections.delete(source);
    });
    watcher.start(signal);
    return watcher;
  }

  function feedOf(id: string, { token, ticket }: WatchJobOptions): Feed {
    const source = token ?? ticket;
    if (source === undefined) return caller;
    const known = connections.get(source);
    if (known !== undefined) return known;
    const byToken = accessTo(api, { id, token }, typeof ticket === 'function' ? undefined : ticket);
    const access: Access =
      typeof ticket !== 'function' ? byToken : token === undefined ? { ticket } : { ...byToken, ticket };
    const connection = createConnection(platform, timings, access);
    connections.set(source, connection);
    return connection;
  }

  return {
    watchJob: (id, watch = {}) => begin(new JobWatcher(feedOf(id, watch), id, watch.signal), watch.signal),
    watchTopic: (topic, watch = {}) => begin(new TopicWatcher(caller, topic), watch.signal),
    close: () => {
      for (const watcher of [...watchers]) watcher.close();
      tabs?.leave();
    },
  };
}
