import type { Job } from '../protocol/job.ts';
import type { Topic } from '../protocol/topic.ts';
import type { Feed } from './subscription.ts';
import { Watcher, type Watching } from './watcher.ts';

/** The watch of a topic. It stays open until it is closed or refused. */
export interface TopicWatch extends Watching {
  readonly topic: Topic;
  /**
   * Tells the watch of states that came another way, as from `list()`: a topic has no snapshot of its own. Those
   * that are news come as events, and the heartbeat asks for what they may have missed.
   */
  add(jobs: Iterable<Job>): void;
}

/** See `TopicWatch`. */
export class TopicWatcher extends Watcher implements TopicWatch {
  readonly topic: Topic;
  readonly target: { readonly topic: Topic };

  constructor(feed: Feed, topic: Topic) {
    super(feed);
    this.topic = topic;
    this.target = { topic };
  }

  add(jobs: Iterable<Job>): void {
    for (const job of jobs) this.receive(job);
  }

  /**
   * A frame does not say by which topic it came. All jobs that a caller's connection shows are the caller's, so
   * `owner:me` wants each.
   */
  protected override wants(job: Job): boolean {
    return this.topic === 'owner:me' || job.tags.includes(this.topic.slice('tag:'.length));
  }

  protected override current(): Iterable<Job> {
    return [];
  }

  protected override accepted(): void {}

  protected override closed(): void {}
}
