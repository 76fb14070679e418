import type { JobRecord, SubscriptionTopic } from '../ports.ts';

/** Every topic whose watchers are told of a job: its own, its owner's, and one for each of its tags. */
export function topicsOf({ job, owner }: JobRecord): readonly SubscriptionTopic[] {
  return [
    `job:${job.id}`,
    `owner:${owner}`,
    ...job.tags.map((tag): SubscriptionTopic => `tag:${owner}:${tag}`),
  ];
}
