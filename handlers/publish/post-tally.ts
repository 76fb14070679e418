import type { PostOutcome } from './post-frame.ts';

/** Such a part of all posts that fail is no matter of single connections any more. */
const FAILED_PART = 0.1;

/**
 * Counts how posts end, and says when to stop. A single 429 or time-out may be about one client that does not read
 * (aws-facts 2); many among those that were posted mean that API Gateway throttles the account, or is not reachable,
 * and then whoever goes on makes it worse.
 */
export class PostTally {
  readonly #least: number;
  #finished = 0;
  #failed = 0;

  /** `least` is how many posts must have failed, whatever part of all they are. */
  constructor(least: number) {
    this.#least = least;
  }

  count(outcome: PostOutcome): void {
    this.#finished += 1;
    if (outcome === 'throttled' || outcome === 'later') this.#failed += 1;
  }

  /** Whether to stop. */
  get isFailing(): boolean {
    return this.#failed >= this.#least && this.#failed >= FAILED_PART * this.#finished;
  }
}
