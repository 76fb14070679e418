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

/** A job whose state is still to become the broker's retained message. */
export interface RetainedState {
  readonly kind: 'retained';
  readonly job: string;
  /** `<epoch>.<seq>` of that state; absent where the job is gone, and its retained message with it. */
  readonly head?: string;
  /**
   * RFC 3339: when a request was made last of which it is not known whether it arrived. It still may, behind a newer
   * state (handlers/publish/retain.ts says until when): then the newest is to be retained, whichever it is.
   */
  readonly sentAt?: string;
  /** How often it has been tried, from 0. */
  readonly attempt: number;
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

/** What all messages of the broadcasts queue say. */
interface OfBroadcast {
  readonly job: string;
  readonly topic: SubscriptionTopic;
  readonly round: number;
  /** How often it was tried in vain, from 0. */
  readonly attempt: number;
}

/** A round of telling a large audience a job's newest state has begun; see `BroadcastRounds`. */
export interface BroadcastRound extends OfBroadcast {
  readonly kind: 'round';
  /** The id of the message that it was first, by which it begins and takes rounds; absent in that one itself. */
  readonly first?: string;
}

/** A job has changed since a round began: another round is to follow it, `round`. */
export interface NextRound extends OfBroadcast {
  readonly kind: 'next-round';
  /** See `BroadcastRound`. */
  readonly first?: string;
}

/** A part of a large audience that is to be told in a round. */
export interface BroadcastRange extends OfBroadcast {
  readonly kind: 'range';
  readonly range: AudienceRange;
  /** How many posts the length of the round allows for already; see `BroadcastRounds.lengthen`. */
  readonly posts: number;
}

/** A message of the broadcasts queue. */
export type Broadcast = BroadcastRound | NextRound | BroadcastRange;
