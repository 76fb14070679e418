import type { WatchError } from './errors.ts';

/**
 * How fresh the states of a watch are, said honestly. All times in milliseconds since the epoch.
 *
 * - `connecting`: the first connection is being made; nothing has failed yet.
 * - `live`: subscribed; every change arrives the moment it is committed.
 * - `polling`: WebSockets are blocked here; states are asked for over HTTP and arrive a second or so late.
 * - `reconnecting`: the connection was lost, or could not be made, at `since`; what is shown may be old by so much.
 * - `stale`: nothing has been confirmed for a while; the last word of the server came at `confirmedAt` (absent: it
 *   never said one). The client goes on trying.
 * - `closed`: nothing more will come: the job is terminal, the watch was closed, or `error` says why.
 */
export type ConnectionState =
  | { readonly status: 'connecting' }
  | { readonly status: 'live' }
  | { readonly status: 'polling' }
  | { readonly status: 'reconnecting'; readonly since: number }
  | { readonly status: 'stale'; readonly confirmedAt?: number }
  | { readonly status: 'closed'; readonly error?: WatchError };

/** What a state is told from. */
export interface ConnectionFacts {
  /** The server has confirmed this subscription on a connection that is open now. */
  readonly subscribed: boolean;
  /** Each connection that confirmed it has been silent for longer than a live one may be. */
  readonly doubtful: boolean;
  /** The last poll of it was answered. */
  readonly polled: boolean;
  /** When the connection was lost, or could not be made for the first time. */
  readonly failingSince: number | undefined;
  /** When the server last said anything. */
  readonly confirmedAt: number | undefined;
  readonly now: number;
}

/** Tells the state of a watch that is not closed; `staleAfterMs` is how long `reconnecting` is the honest word. */
export function describeState(facts: ConnectionFacts, staleAfterMs: number): ConnectionState {
  const { subscribed, doubtful, failingSince, confirmedAt, now } = facts;
  if (subscribed && !doubtful) return { status: 'live' };
  if (facts.polled) return { status: 'polling' };
  if (!subscribed) {
    if (failingSince === undefined) return { status: 'connecting' };
    if (now - failingSince < staleAfterMs) return { status: 'reconnecting', since: failingSince };
  }
  return { status: 'stale', ...(confirmedAt === undefined ? {} : { confirmedAt }) };
}

/** Whether two states that are not closed say the same, so that nobody is told twice. */
export function sameState(one: ConnectionState, other: ConnectionState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
