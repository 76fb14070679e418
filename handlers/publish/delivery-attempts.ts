/**
 * After so many attempts (some four minutes) a delivery is given up. Nothing is lost for good: the client's next
 * `ping` carries the `seq` that it has, and is answered with what is newer.
 */
export const MAXIMUM_ATTEMPTS = 12;

/** The longest wait between two attempts, in seconds. */
const LONGEST_DELAY = 60;

/**
 * Full jitter over a ceiling that doubles, in whole seconds, as SQS wants them, and at least one
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function delaySeconds(attempt: number, random: number): number {
  return Math.max(1, Math.ceil(random * Math.min(LONGEST_DELAY, 2 ** attempt)));
}
