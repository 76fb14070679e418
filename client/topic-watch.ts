import type { Job } from '../protocol/job.ts';
import type { Topic } from '../protocol/topic.ts';
import type { Watching } from './watcher.ts';

/** The watch of a topic. It stays open until it is closed or refused. */
export interface TopicWatch extends Watching {
  readonly topic: Topic;
  /**
   * Tells the watch of states that came another way, as from `list()`: a topic has no snapshot of its own. Those
   * that are news come as events, and the heartbeat asks for what they may have missed.
   */
  add(jobs: Iterable<Job>): void;
}
