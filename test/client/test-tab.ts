import { WebSocket } from 'ws';
import type { Channel, TabLocks } from '../../client/platform.ts';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import type { JobServer } from './job-server.ts';

/**
 * A tab of a browser: a client on the locks and channels of Node, which are those of browsers. When it crashes,
 * its locks are free, its socket is cut and it says nothing more, as where a browser kills the process of a page.
 */
export class TestTab {
  readonly client: WatchClient;
  /** Every message that it has sent to other tabs. */
  readonly said: unknown[] = [];
  readonly #crash = Promise.withResolvers<void>();
  readonly #sockets: WebSocket[] = [];
  readonly #wakers = new Set<() => void>();
  #dead = false;
  #deaf = false;

  constructor(
    server: JobServer,
    timings: Parameters<typeof createWatchClient>[0]['timings'] = {},
    subject = '',
  ) {
    const tab = this;
    class TabSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        tab.#sockets.push(this);
      }
    }
    this.client = createWatchClient({
      api: `http://127.0.0.1/${process.pid}`,
      subject,
      timings,
      // One that has crashed asks for nothing more, however long the test goes on.
      fetch: (url, init) =>
        this.#dead ? new Promise(() => {}) : server.fetch(url.replace(`/${process.pid}`, ''), init),
      WebSocket: TabSocket,
      locks: this.#locks(),
      openChannel: (name) => this.#open(name),
      onWake: (callback) => {
        this.#wakers.add(callback);
        return () => this.#wakers.delete(callback);
      },
    });
  }

  /** Dies without a word. */
  crash(): void {
    this.#dead = true;
    this.#crash.resolve();
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Goes on holding its locks, but hears and says nothing, as a page that hangs. */
  hang(): void {
    this.#deaf = true;
  }

  /** What `online` and `visibilitychange` do. */
  wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  #locks(): TabLocks {
    return {
      request: (name, options, callback) =>
        navigator.locks.request(name, options, () =>
          this.#dead ? undefined : Promise.race([callback(), this.#crash.promise]),
        ),
    };
  }

  #open(name: string): Channel {
    const channel = new BroadcastChannel(name);
    const open: Channel = {
      onmessage: null,
      postMessage: (message) => {
        if (this.#dead || this.#deaf) return;
        this.said.push(message);
        channel.postMessage(message);
      },
      close: () => channel.close(),
    };
    channel.onmessage = (event) => {
      const { data } = event as MessageEvent; // the types of Node say `any event`
      if (!this.#dead && !this.#deaf) open.onmessage?.({ data });
    };
    this.#crash.promise.then(() => channel.close());
    return open;
  }
}
