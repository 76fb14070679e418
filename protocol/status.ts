/**
 * The status machine of a job (the wire contract, "A job"). The database enforces it (each write names the
 * statuses that it may leave); clients use it to know when to stop watching.
 */

/** Every status, in the order in which a job may pass through them. */
export const STATUSES = [
  'awaiting-upload',
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const;

/** Where a job is in its life. */
export type Status = (typeof STATUSES)[number];

/** A status after which nothing follows. */
export type TerminalStatus = 'succeeded' | 'failed' | 'cancelled' | 'expired';

const FOLLOWERS: Readonly<Record<Status, readonly Status[]>> = {
  'awaiting-upload': ['queued', 'cancelled', 'expired'],
  queued: ['running', 'cancelled', 'failed'],
  running: ['succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: [],
};

/** Whether a job may go from one status straight to the other. A status never follows itself. */
export function mayFollow(from: Status, to: Status): boolean {
  return FOLLOWERS[from].includes(to);
}

/** The statuses that a change to `to` may leave: what the condition of a database write names. */
export function statusesBefore(to: Status): readonly Status[] {
  return STATUSES.filter((from) => mayFollow(from, to));
}

/** Whether nothing follows this status. */
export function isTerminal(status: Status): status is TerminalStatus {
  // All but the first three of STATUSES: the table of followers need not travel to every browser.
  return STATUSES.indexOf(status) > 2;
}
