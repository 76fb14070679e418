/** What our queues carry, as JSON; handlers/aws/messages.ts reads it. */

/** A job's newest state that is still owed to one connection. */
export interface Delivery {
  readonly job: string;
  readonly connection: string;
  /** How often it has been tried, from 0. */
  readonly attempt: number;
  /** See `Subscription.connectingUntil`. */
  readonly connectingUntil?: string;
}

/**
 * A look at a job that is due later. Each look sends the next one, as a chain: until the job has ended, or, with
 * `execution`, until that execution has ended or another has taken over.
 */
export interface Deadline {
  readonly job: string;
  readonly epoch: string;
  readonly execution?: string;
  /** When the chain last looked; RFC 3339. Absent before its first look. */
  readonly lookedAt?: string;
}

/** A job that waits for the process function. */
export interface Work {
  readonly job: string;
  readonly epoch: string;
}
