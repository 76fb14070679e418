import { MAXIMUM_WAIT_SECONDS } from '../../protocol/http.ts';

/** What `If-None-Match` says: any state at all, or the entity tags that the client has (RFC 9110 13.1.2). */
export type KnownTags = 'any' | readonly string[];

/** Reads `If-None-Match`; weak tags count as strong ones, because it is compared weakly. */
export function readKnownTags(header: string | undefined): KnownTags | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return 'any';
  return header.match(/"[^"]*"/g) ?? [];
}

/** Whether the client has the state with this entity tag. */
export function isKnown(tag: string, known: KnownTags | undefined): boolean {
  return known === 'any' || (known?.includes(tag) ?? false);
}

/**
 * The seconds of `Prefer: wait=N` (RFC 7240 4.3), at most `MAXIMUM_WAIT_SECONDS`; undefined where there is no such
 * preference or none that can be read: a preference is ignored, never refused.
 */
export function readWaitSeconds(header: string | undefined): number | undefined {
  for (const preference of header?.split(',') ?? []) {
    const seconds = /^\s*wait\s*=\s*"?(\d+)"?\s*(;|$)/i.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), MAXIMUM_WAIT_SECONDS);
  }
  return undefined;
}
