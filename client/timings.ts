/** How long the client waits for what, in milliseconds. */
export interface Timings {
  /** From ticket to open socket; then the attempt counts as failed. */
  readonly connectMs: number;
  /** Between pings. */
  readonly pingMs: number;
  /** For the answer to a ping or a subscribe; then the connection counts as dead. */
  readonly answerMs: number;
  /** For the answer to a ping that was sent because the page woke: somebody looks at the light now. */
  readonly wakeAnswerMs: number;
  /** How long a connection must have been live for the back-off to begin anew. */
  readonly stableMs: number;
  /** How long a lost connection is called `reconnecting` before it is called `stale`. */
  readonly staleAfterMs: number;
}

/**
 * `pingMs` 25 seconds: API Gateway closes after 10 idle minutes (aws-facts 1.8), middle boxes often after 30 to 60
 * seconds, and a dead connection is to be noticed within `pingMs + answerMs`. `answerMs` leaves room for a cold
 * start of the function that answers. `stableMs`: a connection that lives for a minute did not die of being made.
 */
export const DEFAULT_TIMINGS: Timings = {
  connectMs: 15_000,
  pingMs: 25_000,
  answerMs: 10_000,
  wakeAnswerMs: 5_000,
  stableMs: 60_000,
  staleAfterMs: 15_000,
};
