import type { Head } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import {
  ConnectionRefusedError,
  SubscriptionRefusedError,
  TicketRefusedError,
  type WatchError,
} from './errors.ts';
import type { ConnectionState } from './state.ts';
import type { Target } from './subscription.ts';

/** What one watcher of a tab wants of the leader. */
export interface Want {
  readonly key: number;
  readonly target: Target;
  readonly since: Head | undefined;
  readonly heads: readonly (readonly [job: string, seq: number])[];
  /** Since when it has heard nothing, where it watched before. */
  readonly lostAt: number | undefined;
}

/** What a follower's watcher is told; an error goes apart, because a clone of one forgets its class. */
export type KeyedState = readonly [key: number, state: ConnectionState, error: PlainError | undefined];

/**
 * What tabs say to each other: never a token, never a ticket. A follower says all that it wants each time, so that
 * a message that comes twice, or to a leader who has just begun, does no harm.
 */
export type Message =
  | { readonly type: 'lead' }
  | { readonly type: 'want'; readonly from: string; readonly wants: readonly Want[]; readonly wake: boolean }
  | { readonly type: 'states'; readonly to: string; readonly states: readonly KeyedState[] }
  | { readonly type: 'job'; readonly job: Job };

/** Makes a state one that survives the way from tab to tab. */
export function keyedState(key: number, state: ConnectionState): KeyedState {
  if (state.status !== 'closed' || state.error === undefined) return [key, state, undefined];
  return [key, { status: 'closed' }, plainError(state.error)];
}

/** Makes a state what it was. */
export function stateOf([, state, error]: KeyedState): ConnectionState {
  return error === undefined ? state : { status: 'closed', error: watchErrorOf(error) };
}

/** An error that goes from tab to tab, because a clone of an `Error` forgets its class. Its `cause` stays behind. */
interface PlainError {
  readonly code: ConnectionRefusedError['code'] | SubscriptionRefusedError['code'] | undefined;
  readonly text: string;
}

/** Makes an error plain. */
function plainError(error: WatchError): PlainError {
  return {
    code: 'code' in error ? error.code : undefined,
    text: 'reason' in error ? error.reason : error.message,
  };
}

/** Makes a plain error what it was. */
function watchErrorOf({ code, text }: PlainError): WatchError {
  if (typeof code === 'number') return new ConnectionRefusedError(code, text);
  if (code !== undefined) return new SubscriptionRefusedError({ code, title: text });
  return new TicketRefusedError(text);
}
