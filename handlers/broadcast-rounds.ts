import type { SubscriptionTopic } from './ports.ts';

/** A large audience: the watchers of one topic, to be told of one job. */
export interface Audience {
  readonly topic: SubscriptionTopic;
  readonly job: string;
}

/** See `BroadcastRounds.begin`. Times in milliseconds since the epoch. */
export interface WantedRound extends Audience {
  /**
   * Who begins it. Asked again in the same name, it begins again where nobody has taken it, so that whoever died
   * before sending it goes on; where somebody has, it is `assured`.
   */
  readonly by: string;
  readonly now: number;
  /** When the next round may begin if nobody has taken this one by then. */
  readonly until: number;
  /** Begin no other round than the one that follows this one. */
  readonly behind?: number;
}

/** A round that has begun, or the one that it has to wait for. */
export type RoundBeginning =
  | { readonly begun: true; readonly round: number }
  | {
      readonly begun: false;
      readonly round: number;
      /** When the next round may begin, in milliseconds since the epoch. */
      readonly nextAt: number;
      /** Whether somebody has taken the round; before, `nextAt` is when it counts as lost. */
      readonly taken: boolean;
      /** Whether a `NextRound` that follows this round is in the queue. */
      readonly followed: boolean;
      /** Whether whoever asks has begun this round before, and it was taken; or has followed one before. */
      readonly assured: boolean;
    };

/**
 * The rounds in which a large audience is told of a job: one at a time, each of the newest state, so that a job that
 * changes ten times a second does not have ten thousand watchers posted to ten times a second. All methods throw
 * UnavailableError.
 */
export interface BroadcastRounds {
  /** Begins a round where none is under way. Strongly consistent. */
  begin(round: WantedRound): Promise<RoundBeginning>;
  /** Notes that a `NextRound` is in the queue, and by whom, unless the round is not the newest any more. */
  follow(audience: Audience, round: number, by: string): Promise<void>;
  /**
   * Takes it upon whoever asks (`by`) to have the newest round told, and lets the next one begin at `nextAt`
   * (milliseconds since the epoch). Answers that round; undefined where another has taken it.
   */
  take(audience: Audience, by: string, nextAt: number): Promise<number | undefined>;
  /**
   * Has the next round begin later by so many milliseconds (or sooner), unless the round is not the newest any more.
   * Answers whether it is.
   */
  lengthen(audience: Audience, round: number, milliseconds: number): Promise<boolean>;
}
