import { type Head, isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Refusal } from './errors.ts';
import type { ConnectionState } from './state.ts';
import type { TopicName } from './topic-name.ts';

/**
 * What a tab, or whoever watches, has of each job that may still change; undefined of one that it watches and has
 * nothing of.
 */
export type Heads = Iterable<readonly [job: string, head: Head | undefined]>;

/** All that a tab wants of the connection. It says all of it each time, so that what is said twice does no harm. */
export interface Want {
  readonly names: readonly TopicName[];
  readonly heads: Heads;
  /** Somebody has just begun to look. */
  readonly wake?: boolean | undefined;
}

/** How fresh what the name says is, or why it was refused. */
export type KeyedState =
  | readonly [name: TopicName, state: ConnectionState, refusal?: undefined]
  | readonly [name: TopicName, state: undefined, refusal: Refusal];

/** What the connection tells every tab. */
export type News = { readonly job: Job } | { readonly states: readonly KeyedState[] };

/** What all of several have: of each job the oldest of their states, and nothing where one of them has nothing. */
export function oldestOf(several: readonly Heads[]): Map<string, Head | undefined> {
  const oldest = new Map<string, Head | undefined>();
  for (const heads of several) {
    for (const [job, head] of heads) {
      const other = oldest.get(job);
      if (!oldest.has(job) || (other && (!head || isNewer(other, head)))) oldest.set(job, head);
    }
  }
  return oldest;
}
