import { InvalidTokenError } from '../errors.ts';
import type { AuthorizeDependencies } from './authorize.ts';

/**
 * Makes the authorizer of broadcasts: the job whose topic the bearer of a ticket may subscribe to; undefined for a
 * ticket that is missing, expired, forged, or no ticket, and for that of an owner, whose jobs have no common topic.
 * @throws UnavailableError, which IoT Core takes for a refusal as well; but an error is counted, and rings.
 */
export function createAuthorizeBroadcast({
  tokens,
  log,
}: AuthorizeDependencies): (request: { readonly ticket?: string }) => Promise<string | undefined> {
  const refuse = (reason: string): undefined => {
    log.info('A connect to the broker was refused', { reason });
  };
  return async ({ ticket }) => {
    if (ticket === undefined) return refuse('no ticket');
    try {
      const scope = await tokens.verifyTicket(ticket);
      return scope.kind === 'job' ? scope.job : refuse('the ticket is for no single job');
    } catch (error) {
      if (!(error instanceof InvalidTokenError)) throw error;
      return refuse(error.reason);
    }
  };
}
