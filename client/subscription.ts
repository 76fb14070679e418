import type { Head } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import type { Topic } from '../protocol/topic.ts';
import type { ConnectionState } from './state.ts';

/** What is watched: one job or one topic. */
export type Target = { readonly job: string } | { readonly topic: Topic };

/** What a connection needs to know of one who watches over it. */
export interface Subscription {
  readonly target: Target;
  /** What it was told last. */
  readonly connection: ConnectionState;
  /** The newest state that the watcher has of the job it watches; absent for topics. */
  since(): Head | undefined;
  /** The newest `seq` of each job that may still change. */
  heads(): Iterable<readonly [job: string, seq: number]>;
  /** Takes a state that came over the wire; what it does not want, or has already, it drops. */
  receive(job: Job): void;
  /** Hears of a fault that the connection gets over by itself. */
  trouble(error: unknown): void;
  /** Hears what its state is now; after `closed` it hears nothing more. */
  changeState(state: ConnectionState): void;
}

/** Where a watcher gets its states from: a connection of this tab's own, or that of another tab. */
export interface Feed {
  /** Begins to serve a watcher. */
  add(subscription: Subscription): void;
  /** Stops serving a watcher; harmless when it is not served. */
  remove(subscription: Subscription): void;
}

/** Names a target: the id of a job, or the topic, which is never like one. */
export function nameOf(target: Target): string {
  return 'job' in target ? target.job : target.topic;
}
