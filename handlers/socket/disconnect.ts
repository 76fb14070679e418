import { UnavailableError } from '../errors.ts';
import type { DisconnectEvent, SocketAnswer, SocketDependencies } from './dependencies.ts';

/**
 * Answers `$disconnect`: forgets what the connection watched. Best effort, as the event itself is (aws-facts 1.2);
 * what stays is removed by the first 410 or by TTL.
 */
export async function disconnect(
  { connection, code, reason }: DisconnectEvent,
  { subscriptions, log }: SocketDependencies,
): Promise<SocketAnswer> {
  try {
    const removed = await subscriptions.removeConnection(connection);
    log.info('A connection has ended', { connection, code, reason, removed });
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    log.warn('The subscriptions of a connection that has ended stay until a 410', { connection, error });
  }
  return { statusCode: 200 };
}
