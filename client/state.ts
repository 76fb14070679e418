import type { WatchError } from './errors.ts';

/**
 * How fresh the states of a watch are, said honestly. All times in milliseconds since the epoch.
 *
 * - `connecting`: the first connection is being made; nothing has failed yet.
 * - `live`: subscribed; every change arrives the moment it is committed.
 * - `reconnecting`: the connection was lost, or could not be made, at `since`; what is shown may be old by so much.
 * - `stale`: nothing has been confirmed for a while; the last word of the server came at `lastConfirmedAt`
 *   (absent: it never said one). The client goes on trying.
 * - `closed`: nothing more will come: the job is terminal, the watch was closed, or `error` says why.
 */
export type ConnectionState =
  | { readonly status: 'connecting' }
  | { readonly status: 'live' }
  | { readonly status: 'reconnecting'; readonly since: number }
  | { readonly status: 'stale'; readonly lastConfirmedAt?: number }
  | { readonly status: 'closed'; readonly error?: WatchError };

/** What a state is told from. */
export interface ConnectionFacts {
  /** The server has confirmed this subscription on the connection that is open now. */
  readonly subscribed: boolean;
  /** The open connection has been silent for longer than a live one may be. */
  readonly doubtful: boolean;
  /** When the connection was lost, or could not be made for the first time. */
  readonly failingSince: number | undefined;
  /** When the server last said anything. */
  readonly lastConfirmedAt: number | undefined;
  readonly now: number;
}

/** Tells the state of a watch that is not closed; `staleAfterMs` is how long `reconnecting` is the honest word. */
export function describeState(facts: ConnectionFacts, staleAfterMs: number): ConnectionState {
  if (facts.subscribed && !facts.doubtful) return { status: 'live' };
  const stale: ConnectionState = {
    status: 'stale',
    ...(facts.lastConfirmedAt === undefined ? {} : { lastConfirmedAt: facts.lastConfirmedAt }),
  };
  if (facts.subscribed) return stale;
  if (facts.failingSince === undefined) return { status: 'connecting' };
  if (facts.now - facts.failingSince >= staleAfterMs) return stale;
  return { status: 'reconnecting', since: facts.failingSince };
}

/** Whether two states say the same, so that nobody is told twice. */
export function sameState(one: ConnectionState, other: ConnectionState): boolean {
  if (one.status === 'reconnecting') return other.status === 'reconnecting' && one.since === other.since;
  if (one.status === 'stale') {
    return other.status === 'stale' && one.lastConfirmedAt === other.lastConfirmedAt;
  }
  return one.status === other.status;
}
