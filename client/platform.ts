import { type Clock, systemClock } from './clock.ts';

/** The part of a WebSocket that the client uses; that of browsers, of Node and of `ws` all fit. */
export interface SocketLike {
  /** How bytes are told: always as `arraybuffer`. Absent where only text goes through, as over API Gateway. */
  binaryType?: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'error', listener: () => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/** Opens a WebSocket. */
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** `fetch`, as far as the client uses it. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** The part of XMLHttpRequest that the client uses; it alone reports the progress of an upload in browsers. */
export interface RequestLike {
  readonly status: number;
  readonly responseText: string;
  readonly upload: {
    addEventListener(type: 'progress', listener: (event: { readonly loaded: number }) => void): void;
  };
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: Blob | FormData): void;
  abort(): void;
  addEventListener(type: 'load' | 'error' | 'abort' | 'timeout', listener: () => void): void;
}

/** Makes an XMLHttpRequest. */
export type RequestConstructor = new () => RequestLike;

/** The part of the Web Locks API that the client uses. */
export interface TabLocks {
  /** Runs `callback` with the lock, which is free again when what it returns has settled. */
  request(
    name: string,
    options: { readonly signal?: AbortSignal; readonly steal?: boolean },
    callback: () => unknown,
  ): Promise<unknown>;
}

/** The part of a BroadcastChannel that the client uses. */
export interface Channel {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** All that the client takes from where it runs, so that a test can take its place. */
export interface Platform {
  readonly clock: Clock;
  /** A number of [0, 1), for the jitter. */
  readonly random: () => number;
  readonly WebSocket: SocketConstructor;
  readonly fetch: Fetch;
  /** Absent where there is none, as in Node: an upload then reports its beginning and its end alone. */
  readonly XMLHttpRequest?: RequestConstructor;
  /**
   * Calls `callback` when a connection is worth looking at now: the network came or went, or the page is looked
   * at again. Returns how to stop.
   */
  readonly onWake: (callback: () => void) => () => void;
  /** How tabs agree on who has the connection; that of the browser unless given. */
  readonly locks?: TabLocks | undefined;
  /** How tabs talk. */
  readonly openChannel?: ((name: string) => Channel) | undefined;
}

interface EventTargetLike {
  /** Absent in Node, whose global object is none. */
  addEventListener?(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void;
}

interface Surroundings extends EventTargetLike {
  readonly document?: { readonly hidden: boolean };
  readonly XMLHttpRequest?: RequestConstructor;
  readonly WebSocket: SocketConstructor;
  readonly BroadcastChannel?: new (name: string) => Channel;
  readonly navigator?: { readonly locks?: TabLocks };
}

/** What the browser, or Node from 22, offers. */
export function surroundingPlatform(): Platform {
  // Node's types know no document and no XMLHttpRequest, the browser's know them always: optional holds for both.
  const surroundings = globalThis as unknown as Surroundings;
  const { document, navigator, BroadcastChannel } = surroundings;
  return {
    clock: systemClock,
    random: Math.random,
    WebSocket: surroundings.WebSocket,
    fetch: (url, init) => fetch(url, init),
    onWake(callback) {
      const stop = new AbortController();
      const look = () => {
        // Nobody looks; once somebody does, this is called again.
        if (!document?.hidden) callback();
      };
      // Going offline cuts no socket by itself: looking at once is what makes the light honest within seconds.
      for (const type of ['visibilitychange', 'online', 'offline'])
        surroundings.addEventListener?.(type, look, stop);
      return () => stop.abort();
    },
    // Node has locks and channels, too, but no tabs.
    locks: document && navigator?.locks,
    openChannel: BroadcastChannel && ((name) => new BroadcastChannel(name)),
  };
}

/** What browsers offer beside, for uploads. */
export function surroundingRequest(): Pick<Platform, 'XMLHttpRequest'> {
  const { XMLHttpRequest } = globalThis as unknown as Surroundings; // as above
  return XMLHttpRequest === undefined ? {} : { XMLHttpRequest };
}
