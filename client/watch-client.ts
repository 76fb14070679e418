import type { Watch } from '../protocol/http.ts';
import type { Topic } from '../protocol/topic.ts';
import { accessTo, type TicketSource, type Via } from './access.ts';
import { createFeed } from './feed.ts';
import type { JobWatch } from './job-watch.ts';
import { type Platform, surroundingPlatform } from './platform.ts';
import { DEFAULT_TIMINGS, type Setup, type Timings } from './timings.ts';
import type { TopicWatch } from './topic-watch.ts';
import { createWatchApi } from './watch-api.ts';
import { createWatcher, type Feed } from './watcher.ts';

/** Where the API is, and what the client takes from its surroundings; tests put their own in. */
export interface WatchClientOptions extends Partial<Platform> {
  /** The URL that `/jobs` is appended to. */
  readonly api: string;
  readonly timings?: Partial<Timings>;
  /**
   * Whether the tabs of a browser that watch as the caller share one connection; true unless told. All tabs of this
   * origin with this API and `subject` count as one caller. Watches by token or callback are never shared. Where the
   * browser has no Web Locks or no BroadcastChannel, and in Node, nothing is shared.
   */
  readonly shareBetweenTabs?: boolean;
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
   * of every connect; with it alone nothing can be polled where WebSockets are blocked. Who
   * watches by `poll` needs no ticket: then the callback is never asked, and the caller polls.
   */
  readonly ticket?: Watch | TicketSource | undefined;
  /**
   * How the states come; `auto` unless told. See docs/client.md, "Ways": `websocket` never polls, `poll` opens no
   * socket, `iot` hears the broadcast of the job where the stack has one.
   */
  readonly via?: Via | undefined;
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

/** A feed, and what its watches have in common. */
interface SharedFeed extends Feed {
  readonly way: string;
  readonly source: unknown;
}

/**
 * The half of the client that watches, for pages where every kilobyte counts: at most 6 KB gzipped. Opens nothing
 * until something is watched.
 */
export function createWatchClient(options: WatchClientOptions): WatchClient {
  const setup: Setup = { ...surroundingPlatform(), ...DEFAULT_TIMINGS, ...options, ...options.timings };
  const api = createWatchApi(options.api, setup.fetch);
  const feeds = new Set<SharedFeed>();

  /** The feed that serves a watch, and with it all others of the same way and the same source of tickets. */
  function feedOf(id: string, { token, ticket, via = 'auto' }: WatchJobOptions): Feed {
    const source = token ?? ticket;
    // What is broadcast is one job; its tickets are for no other.
    const only = via === 'iot' ? id : '';
    const way = via + only;
    for (const known of feeds) if (known.way === way && known.source === source) return known;
    const access = accessTo(api, setup, token ? id : only, via, token, ticket);
    // The number is the version of what tabs say to each other.
    const shared =
      !source && options.shareBetweenTabs !== false && `jobwire 3 ${api.base} ${options.subject} ${way}`;
    const feed: SharedFeed = {
      ...createFeed(setup, access, shared, () => {
        // The caller's stays: it remembers when the server wants to be asked again.
        if (source || only) feeds.delete(feed);
      }),
      way,
      source,
    };
    feeds.add(feed);
    return feed;
  }

  return {
    watchJob: (id, watch = {}) => createWatcher(feedOf(id, watch), `job:${id}`, watch.signal),
    watchTopic: (topic, watch = {}) => createWatcher(feedOf('', {}), topic, watch.signal),
    close: () => {
      for (const feed of feeds) feed.close();
    },
  };
}
