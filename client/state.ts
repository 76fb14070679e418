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
  | { readonly status: 'stale'; readonly confirmedAt?: number | undefined }
  | { readonly status: 'closed'; readonly error?: WatchError | undefined };
