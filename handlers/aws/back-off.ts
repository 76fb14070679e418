import { setTimeout as delay } from 'node:timers/promises';

/** How often a partly done request is repeated before the rest counts as not doable now. */
const ATTEMPTS = 6;

/** The ceiling of the first wait, in milliseconds; doubles with every attempt. */
const FIRST_CEILING_MILLISECONDS = 25;

/** No single wait is longer, in milliseconds: six attempts take at most 1.5 s of a function's time. */
const LAST_CEILING_MILLISECONDS = 800;

/**
 * Repeats a request of which a service may leave a part undone, with full jitter between the attempts
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). `request` gets what is left
 * and answers what it left undone. Answers what is still undone in the end; empty after success.
 */
export async function repeatUntilDone<Part>(
  parts: readonly Part[],
  request: (parts: readonly Part[]) => Promise<readonly Part[]>,
): Promise<readonly Part[]> {
  let left = parts;
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt += 1) {
    if (attempt > 0) await delay(Math.random() * ceilingOf(attempt));
    left = await request(left);
  }
  return left;
}

/** Cuts a list into lists of at most `size`. */
export function chunksOf<Part>(parts: readonly Part[], size: number): readonly (readonly Part[])[] {
  return Array.from({ length: Math.ceil(parts.length / size) }, (_, index) =>
    parts.slice(index * size, (index + 1) * size),
  );
}

function ceilingOf(attempt: number): number {
  return Math.min(LAST_CEILING_MILLISECONDS, FIRST_CEILING_MILLISECONDS * 2 ** (attempt - 1));
}
