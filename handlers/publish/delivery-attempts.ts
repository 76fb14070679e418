/**
 * After so many attempts (some four minutes) a delivery is given up, and a range that nobody could be told in. Nothing
 * is lost for good: the client's next `ping` carries the `seq` that it has, and is answered with what is newer.
 */
export const MAXIMUM_ATTEMPTS = 12;

/** The longest wait between two attempts, in seconds. */
const LONGEST_DELAY = 60;

/** The shortest time over which what was throttled together comes back, in seconds. */
const SHORTEST_SPREAD = 4;

/** How many deliveries may come back in a second: a twentieth of what an account is allowed (aws-facts 1.8). */
const SPREAD_PER_SECOND = 500;

/**
 * Full jitter over a ceiling that doubles, in whole seconds, as SQS wants them, and at least one
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function delaySeconds(attempt: number, random: number): number {
  return Math.max(1, Math.ceil(random * Math.min(LONGEST_DELAY, 2 ** attempt)));
}

/** When one of so many deliveries that were throttled together comes back, in whole seconds, and at least one. */
export function spreadSeconds(together: number, random: number): number {
  const ceiling = Math.min(LONGEST_DELAY, Math.max(SHORTEST_SPREAD, together / SPREAD_PER_SECOND));
  return Math.max(1, Math.ceil(random * ceiling));
}

/**
 * How often a range was tried in vain, when the rest of it goes back after so many posts. Progress begins anew, so
 * that a range in which few go through is told slowly, and never given up; at one, because it goes back all the same.
 */
export function attemptsAfter(attempt: number, posted: number): number {
  return posted > 0 ? 1 : attempt + 1;
}
