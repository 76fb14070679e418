import { FrameError } from '../../protocol/frames.ts';
import type { Topic } from '../../protocol/topic.ts';
import type { JobRecord, SubscriptionTopic, TicketScope } from '../ports.ts';

/** Whether a ticket can be for a job of this id, as far as the ticket alone can tell. */
export function mayName(scope: TicketScope, job: string): boolean {
  return scope.kind === 'owner' || scope.job === job;
}

/** Whether the bearer of a ticket may see a job. A job whose time is over is seen by nobody (TTL lags by days). */
export function maySee(scope: TicketScope, record: JobRecord, now: Date): boolean {
  return (
    mayName(scope, record.job.id) &&
    record.owner === scope.subject &&
    record.job.expiresAt > now.toISOString()
  );
}

/** The topic of one job. */
export function jobTopic(job: string): SubscriptionTopic {
  return `job:${job}`;
}

/**
 * What a client's topic is called in the table: with the subject of its ticket, so that nobody can name a topic
 * of somebody else.
 * @throws FrameError `forbidden` for a ticket of one job, which has no topics.
 */
export function ownTopic(scope: TicketScope, topic: Topic, id: string): SubscriptionTopic {
  if (scope.kind === 'job') throw new FrameError('forbidden', 'the ticket is for one job and no topic', id);
  if (topic === 'owner:me') return `owner:${scope.subject}`;
  return `tag:${scope.subject}:${topic.slice('tag:'.length)}`;
}
