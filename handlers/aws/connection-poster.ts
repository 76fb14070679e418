import type { Connections } from '../ports.ts';
import { translateConnectionError } from './connection-error.ts';
import { connectionsEndpoint } from './connections-endpoint.ts';
import { FrameBodies } from './frame-bodies.ts';
import { PostSigner } from './post-signature.ts';
import { PostSockets } from './post-sockets.ts';

/**
 * `Connections` through the @connections of a WebSocket API, at an eighth of the SDK's cost: it does nothing but post
 * (docs/decisions/0015-our-own-poster.md). Nothing is tried again but on a socket that had died; the deliveries
 * queue is the retry: it waits longer than a function should, and reads the newest state.
 */
export class ConnectionPoster implements Connections {
  readonly #signer: PostSigner;
  readonly #sockets: PostSockets;
  readonly #bodies = new FrameBodies();

  /**
   * `socketUrl` is `wss://…/<stage>`; @connections are at the same place over https (aws-facts 2).
   * @throws MissingVariableError where the environment has no credentials or no Region; TypeError for what is no URL.
   */
  constructor(settings: { readonly socketUrl: string }) {
    const endpoint = connectionsEndpoint(settings.socketUrl);
    this.#signer = new PostSigner(endpoint);
    this.#sockets = new PostSockets(endpoint.origin);
  }

  async post(connection: string, frame: string): Promise<void> {
    const taken = this.#sockets.take(Date.now());
    const socket = taken instanceof Promise ? await taken : taken;
    try {
      const body = this.#bodies.of(frame);
      // Signed with the socket in hand, because a signature ages while a post waits for one.
      await socket.post(this.#signer.sign(connection, body.hash, Date.now()), body.bytes);
    } catch (error) {
      throw translateConnectionError(connection, error);
    } finally {
      this.#sockets.giveBack(socket);
    }
  }
}
