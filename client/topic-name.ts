import type { Job } from '../protocol/job.ts';
import type { Topic } from '../protocol/topic.ts';

/** What is watched, by one name: `job:` and the id of a job, or a topic as on the wire. */
export type TopicName = `job:${string}` | Topic;

/** The id of the job that a name is of; '' for the topics, which have no snapshot. */
export function jobOf(name: TopicName): string {
  return name.startsWith('job:') ? name.slice('job:'.length) : '';
}

/**
 * Whether a state is of what the name says. A frame does not say by which name it came; all jobs that a caller's
 * connection shows are the caller's, so `owner:me` covers each.
 */
export function covers(name: TopicName, job: Job): boolean {
  return ['owner:me', `job:${job.id}`, ...job.tags.map((tag) => `tag:${tag}`)].includes(name);
}
