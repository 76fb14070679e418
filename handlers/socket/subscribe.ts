import { FrameError, type SubscribedFrame, type SubscribeFrame } from '../../protocol/frames.ts';
import { type Head, isNewer, type Job } from '../../protocol/job.ts';
import type { SubscriptionTopic, TicketScope } from '../ports.ts';
import type { SocketDependencies } from './dependencies.ts';
import { jobTopic, mayName, maySee, ownTopic } from './scope.ts';
import { after, MAXIMUM_SUBSCRIPTIONS, SUBSCRIPTION_MILLISECONDS } from './subscription-limits.ts';

/**
 * Answers `subscribe`.
 * @throws FrameError `forbidden`, `not-found`, `too-many-subscriptions`; UnavailableError.
 */
export async function subscribe(
  { connection, scope }: { readonly connection: string; readonly scope: TicketScope },
  frame: SubscribeFrame,
  dependencies: SocketDependencies,
): Promise<SubscribedFrame> {
  if ('topic' in frame) {
    const topic = ownTopic(scope, frame.topic, frame.id);
    await refuseTooMany(topic, connection, frame.id, dependencies);
    await addRow(topic, connection, dependencies);
    return { type: 'subscribed', id: frame.id, topic: frame.topic };
  }
  const { id, job, since } = frame;
  if (!mayName(scope, job)) throw new FrameError('forbidden', 'the ticket is for another job', id);
  // The ticket of a job allows that job and no topic: its connection never has a second row to count.
  if (scope.kind === 'owner') await refuseTooMany(jobTopic(job), connection, id, dependencies);
  // A row for a job of somebody else would let the publisher post that job here until it is taken back. So the
  // ticket of an owner, which says nothing of single jobs, costs a read before the row; the ticket of a job was
  // only ever issued to those who may watch it.
  if (scope.kind === 'owner') await readJob(scope, job, id, dependencies);
  return answer(id, await watch(connection, scope, job, id, dependencies), since);
}

/**
 * Writes the row, then reads the job; the order is why no update can be missed:
 *
 *     subscribe:   row ──────────▶ strongly consistent read ──▶ snapshot
 *     a change:        commit ──▶ publisher queries the rows, strongly consistent
 *
 * A change that is committed before the read is in the snapshot. One that is committed after it is published by
 * a query that comes later still, and so finds the row. Read first, and a change between read and row would be
 * in neither. What is in both is dropped by the client, by `seq`.
 */
async function watch(
  connection: string,
  scope: TicketScope,
  job: string,
  id: string,
  dependencies: SocketDependencies,
): Promise<Job> {
  await addRow(jobTopic(job), connection, dependencies);
  try {
    return await readJob(scope, job, id, dependencies);
  } catch (error) {
    // There is nothing to watch. After any other error the row stays: it may be that of an earlier `subscribe`,
    // and the client, told to try again, will write the same row.
    if (error instanceof FrameError) await dependencies.subscriptions.remove(jobTopic(job), connection);
    throw error;
  }
}

/** @throws FrameError `not-found` for a job of somebody else, too, so that ids cannot be probed. */
async function readJob(
  scope: TicketScope,
  job: string,
  id: string,
  { jobs, now }: SocketDependencies,
): Promise<Job> {
  const record = await jobs.read(job);
  if (record === undefined || !maySee(scope, record, now())) {
    throw new FrameError('not-found', 'there is no such job', id);
  }
  return record.job;
}

/**
 * The count is eventually consistent, so a burst may exceed the limit by a few: it guards us, not a quota. What is
 * watched already may be renewed; only at the limit does that cost a read.
 */
async function refuseTooMany(
  topic: SubscriptionTopic,
  connection: string,
  id: string,
  { subscriptions }: SocketDependencies,
): Promise<void> {
  if ((await subscriptions.count(connection)) < MAXIMUM_SUBSCRIPTIONS) return;
  if (await subscriptions.has(topic, connection)) return;
  const detail = `a connection watches at most ${MAXIMUM_SUBSCRIPTIONS} jobs and topics; unsubscribe, or watch owner:me`;
  throw new FrameError('too-many-subscriptions', detail, id);
}

async function addRow(
  topic: SubscriptionTopic,
  connection: string,
  { subscriptions, now }: SocketDependencies,
): Promise<void> {
  const at = now();
  const expiresAt = after(at, SUBSCRIPTION_MILLISECONDS);
  await subscriptions.add({ topic, connection, since: at.toISOString(), expiresAt });
}

function answer(id: string, job: Job, since: Head | undefined): SubscribedFrame {
  if (isNewer(job, since)) return { type: 'subscribed', id, job };
  return { type: 'subscribed', id, head: { job: job.id, epoch: job.epoch, seq: job.seq } };
}
