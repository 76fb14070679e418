import { createSecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import { PostSocket } from './post-socket.ts';

/** More than the stages post at a time (`CONCURRENCY` in handlers/publish/); each costs a handshake and a few KB. */
const MAXIMUM_SOCKETS = 128;

/** A connection inside a Region opens in a few milliseconds; one that takes a second is lost. */
const OPENING_MILLISECONDS = 1_000;

/**
 * API Gateway's addresses have a time to live of 60 seconds, so a socket is closed after that and the name looked up
 * anew. Of a longer freeze, no socket is used that has most likely died.
 */
const LIFE_MILLISECONDS = 60_000;

/**
 * The sockets to one origin, kept open from one invocation to the next. The one used last is used first, so that
 * no more stay open than are needed.
 */
export class PostSockets {
  readonly #origin: string;
  readonly #connector: buildConnector.connector;
  readonly #idle: PostSocket[] = [];
  readonly #waiting: ((socket: PostSocket) => void)[] = [];
  #sockets = 0;

  /** `origin` is `https://<host>`, or `http://…` for the local gateway. */
  constructor(origin: string) {
    this.#origin = origin;
    this.#connector = resumingConnector(origin);
  }

  /** A socket for one post; a promise of one where all are in use. It must be given back. */
  take(now: number): PostSocket | Promise<PostSocket> {
    for (let socket = this.#idle.pop(); socket !== undefined; socket = this.#idle.pop()) {
      if (!socket.openedBefore(now - LIFE_MILLISECONDS)) return socket;
      socket.close();
      this.#sockets -= 1;
    }
    if (this.#sockets >= MAXIMUM_SOCKETS) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#sockets += 1;
    return new PostSocket(this.#origin, this.#connector);
  }

  /** Takes a socket back, whatever became of the post: a broken one opens itself again when it is used. */
  giveBack(socket: PostSocket): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(socket);
    else next(socket);
  }
}

/**
 * Opens sockets. The TLS context is made now, while the function starts, because it takes some milliseconds of a
 * processor; and each socket resumes the TLS session of an earlier one, which halves the cost of its handshake.
 */
function resumingConnector(origin: string): buildConnector.connector {
  if (!origin.startsWith('https:')) return connectorOf({ timeout: OPENING_MILLISECONDS });
  const secureContext = createSecureContext();
  // undici remembers sessions by weak references alone, which the next collection of garbage ends.
  let session: Buffer | undefined;
  return (options, callback) => {
    const connect = connectorOf({
      timeout: OPENING_MILLISECONDS,
      secureContext,
      ...(session === undefined ? {} : { session }),
    });
    connect(options, (...opened) => {
      opened[1]?.on('session', (newest: Buffer) => {
        session = newest;
      });
      callback(...opened);
    });
  };
}
