import { InvalidTokenError } from '../errors.ts';
import type { Log, TicketScope, Tokens } from '../ports.ts';

/** What the authorizer needs of the world. */
export interface AuthorizeDependencies {
  readonly tokens: Pick<Tokens, 'verifyTicket'>;
  readonly log: Log;
}

/**
 * Makes the authorizer of `$connect`: the ticket's scope, which then stays with the connection for its life
 * (aws-facts 1.1, "Authorizer context"). Whether the scope allows a `?job=` is decided by `$connect` itself, whose
 * 403 can say why.
 * @throws Error with exactly the message `Unauthorized`, which API Gateway turns into 401 (aws-facts 1.5), for a
 *   ticket that is missing, expired, forged, or no ticket; UnavailableError, which becomes 500.
 */
export function createAuthorize({
  tokens,
  log,
}: AuthorizeDependencies): (request: { readonly ticket?: string | undefined }) => Promise<TicketScope> {
  return async ({ ticket }) => {
    if (ticket === undefined || ticket === '') {
      log.info('A connect was refused', { reason: 'no ticket' });
      throw new Error('Unauthorized');
    }
    try {
      return await tokens.verifyTicket(ticket);
    } catch (error) {
      if (!(error instanceof InvalidTokenError)) throw error;
      log.info('A connect was refused', { reason: error.reason });
      throw new Error('Unauthorized', { cause: error });
    }
  };
}
