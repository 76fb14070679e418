import type { Platform } from './platform.ts';

/** Where the client runs, and how long it waits there for what. */
export type Setup = Platform & Timings;

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
  /** How long a connection must have been open for the back-off to begin anew. */
  readonly stableMs: number;
  /** How long a lost connection is called `reconnecting` before it is called `stale`. */
  readonly staleAfterMs: number;
  /** The age at which a connection is followed by the next; up to a tenth less by jitter. */
  readonly rotateMs: number;
  /** How long a connection that has been followed still hears what was posted to it before. */
  readonly drainMs: number;
  /** From the answer to a poll of a job to the next poll, where WebSockets are blocked. */
  readonly pollMs: number;
  /** The same for lists, and for each job where too many are watched to hold a request for each. */
  readonly listMs: number;
}

/**
 * `pingMs` 25 seconds: API Gateway closes after 10 idle minutes (aws-facts 1.8), middle boxes often after 30 to 60
 * seconds, and a dead connection is to be noticed within `pingMs + answerMs`. `answerMs` leaves room for a cold
 * start of the function that answers. `stableMs`: a connection that lives for a minute did not die of being made.
 * `rotateMs` 110 minutes: API Gateway cuts at 120 (aws-facts 1.8), which leaves 10 for failing attempts. `drainMs`:
 * longer than a change takes from its commit to its frame, since a topic has no snapshot that would repeat it.
 */
export const DEFAULT_TIMINGS: Timings = {
  connectMs: 15_000,
  pingMs: 25_000,
  answerMs: 10_000,
  wakeAnswerMs: 5_000,
  stableMs: 60_000,
  staleAfterMs: 15_000,
  rotateMs: 6_600_000,
  drainMs: 10_000,
  pollMs: 1_000,
  listMs: 5_000,
};
