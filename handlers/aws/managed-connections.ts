import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { ConnectionGoneError, type RefusedError, type UnavailableError } from '../errors.ts';
import type { Connections } from '../ports.ts';
import { httpStatusOf, nameOf, translateServiceError } from './service-error.ts';

/** A connection inside a Region opens in a few milliseconds; one that takes a second is lost. */
const CONNECTION_MILLISECONDS = 1_000;

/** A post is answered in some ten milliseconds; one viewer whose post hangs must not hold up the others. */
const ANSWER_MILLISECONDS = 3_000;

/** `Connections` through the @connections of a WebSocket API. */
export class ManagedConnections implements Connections {
  readonly #client: ApiGatewayManagementApiClient;

  /** `socketUrl` is `wss://…/<stage>`; @connections are at the same place over https (aws-facts 2). */
  constructor(settings: { readonly socketUrl: string }) {
    this.#client = new ApiGatewayManagementApiClient({
      endpoint: endpointOf(settings.socketUrl),
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

/** The URL of @connections without `/@connections`: `wss://…` becomes `https://…`, `ws://…` `http://…`. */
function endpointOf(socketUrl: string): string {
  return socketUrl.replace(/^ws/, 'http').replace(/\/+$/, '');
}

/**
 * What a failed request to a connection means. API Gateway's 410 has an empty body, and its name comes from
 * a header that not every server sends, so the status counts as much (aws-facts 2).
 */
function translateConnectionError(
  connection: string,
  error: unknown,
): ConnectionGoneError | UnavailableError | RefusedError {
  if (nameOf(error) === 'GoneException' || httpStatusOf(error) === 410) {
    return new ConnectionGoneError(connection, { cause: error });
  }
  return translateServiceError('API Gateway', error);
}
