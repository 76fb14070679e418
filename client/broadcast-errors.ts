/** What a watch by broadcast is refused with, as the `cause` of its TicketRefusedError, where there is no broadcast. */
export class BroadcastUnavailableError extends Error {
  override readonly name = 'BroadcastUnavailableError';
  readonly retryable = false;
}

/** What is told as trouble of a broker that takes no connection; the watch goes on. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
}
