import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { Connections } from '../ports.ts';
import { translateConnectionError } from './connection-error.ts';
import { connectionsEndpoint } from './connections-endpoint.ts';

/** A connection inside a Region opens in a few milliseconds; one that takes a second is lost. */
const CONNECTION_MILLISECONDS = 1_000;

/** A post is answered in some ten milliseconds; one viewer whose post hangs must not hold up the others. */
const ANSWER_MILLISECONDS = 3_000;

/**
 * `Connections` through the SDK's client: the reference that ConnectionPoster is held to in the conformance suite
 * and measured against in bench/post.ts. No function uses it.
 */
export class ManagedConnections implements Connections {
  readonly #client: ApiGatewayManagementApiClient;

  /** `socketUrl` is `wss://…/<stage>`; @connections are at the same place over https (aws-facts 2). */
  constructor(settings: { readonly socketUrl: string }) {
    this.#client = new ApiGatewayManagementApiClient({
      endpoint: connectionsEndpoint(settings.socketUrl).href,
      // The deliveries queue is the retry: it waits longer than a function should, and reads the newest state.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: CONNECTION_MILLISECONDS,
        requestTimeout: ANSWER_MILLISECONDS,
        throwOnRequestTimeout: true,
      },
    });
  }

  async post(connection: string, frame: string): Promise<void> {
    try {
      await this.#client.send(new PostToConnectionCommand({ ConnectionId: connection, Data: frame }));
    } catch (error) {
      throw translateConnectionError(connection, error);
    }
  }
}
