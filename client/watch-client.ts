import type { Watch } from '../protocol/http.ts';
import type { Topic } from '../protocol/topic.ts';
import { accessTo, type TicketSource } from './access.ts';
import { createFeed } from './feed.ts';
import { createJobWatch, type JobWatch } from './job-watch.ts';
import { type Platform, surroundingPlatform } from './platform.ts';
import { DEFAULT_TIMINGS, type Timings } from './timings.ts';
import { createTopicWatch, type TopicWatch } from './topic-watch.ts';
import { createWatchApi } from './watch-api.ts';
import type { Feed } from './watcher.ts';

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
  const api = createWatchApi(options.api, platform.fetch);
  // The number is the version of what tabs say to each other.
  const shared = options.shareBetweenTabs === false ? undefined : `jobwire 2 ${api.base} ${options.subject}`;
  const caller = createFeed(platform, timings, accessTo(api, ''), shared);
  /** By token or callback, while somebody watches; and by neither, as the caller. */
  const feeds = new Map<unknown, Feed>([[undefined, caller]]);

  function feedOf(id: string, { token, ticket }: WatchJobOptions): Feed {
    const source = token ?? ticket;
    const known = feeds.get(source);
    if (known) return known;
    const access = accessTo(api, id, token, ticket);
    const feed = createFeed(platform, timings, access, undefined, () => feeds.delete(source));
    feeds.set(source, feed);
    return feed;
  }

  return {
    watchJob: (id, watch = {}) => createJobWatch(feedOf(id, watch), id, watch.signal),
    watchTopic: (topic, watch = {}) => createTopicWatch(caller, topic, watch.signal),
    close: () => {
      for (const feed of feeds.values()) feed.close();
    },
  };
}
