/**
 * The client's numbers that are no times (those are in timings.ts). In a file without imports, because then the
 * bundler writes each where it is used.
 */

/** How long the API holds a request, in seconds (the wire contract, `Prefer: wait`). */
export const WAIT_SECONDS = 20;

/** The most polls that are held at once: browsers open six connections to a host over HTTP/1.1. */
export const MAXIMUM_HELD = 4;

/** The most terminal jobs that a topic's watch remembers in order to drop old frames; then it forgets them. */
export const MAXIMUM_REMEMBERED = 5_000;

/** How many more attempts to subscribe may be put off before a watch is told that nothing comes. */
export const PATIENCE = 2;

/** How much a socket that is refused at once, in spite of a ticket, tells of a network that blocks sockets. */
export const REFUSED = 1;

/** The same of a socket that says nothing until the time is up, and when sockets count as blocked. */
export const SILENT = 3;

/** By how much browsers slow the timers of a page that nobody sees, in milliseconds. */
export const SLOWED_MS = 60_000;
