import type { AudienceRange, SubscriptionTopic } from './ports.ts';

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

/** A round of telling a large audience a job's newest state has begun; see `BroadcastRounds`. */
export interface BroadcastRound {
  readonly kind: 'round';
  readonly job: string;
  readonly topic: SubscriptionTopic;
  readonly round: number;
}

/** A job has changed since a round began: another round is to follow it. */
export interface NextRound {
  readonly kind: 'next-round';
  readonly job: string;
  readonly topic: SubscriptionTopic;
  /** The round that is to be followed. */
  readonly round: number;
}

/** A part of a large audience that is to be told in a round. */
export interface BroadcastRange {
  readonly kind: 'range';
  readonly job: string;
  readonly topic: SubscriptionTopic;
  readonly round: number;
  readonly range: AudienceRange;
  /** How many posts the length of the round allows for already; see `BroadcastRounds.lengthen`. */
  readonly posts: number;
  /** How often it could not be told, because API Gateway throttled, from 0. */
  readonly attempt: number;
}

/** A message of the broadcasts queue. */
export type Broadcast = BroadcastRound | NextRound | BroadcastRange;
