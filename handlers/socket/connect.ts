import * as v from 'valibot';
import type { ProblemCode } from '../../protocol/error-codes.ts';
import { SUBPROTOCOL } from '../../protocol/frames.ts';
import { problem } from '../../protocol/http.ts';
import { JobIdSchema } from '../../protocol/job.ts';
import type { TicketScope } from '../ports.ts';
import type { ConnectEvent, SocketAnswer, SocketDependencies } from './dependencies.ts';
import { jobTopic, mayName, maySee } from './scope.ts';
import { after, CONNECTING_MILLISECONDS, SUBSCRIPTION_MILLISECONDS } from './subscription-limits.ts';

/**
 * Answers `$connect`. A status other than 200 refuses the connection, and the client sees that status
 * (aws-facts 1.5). With `?job=` the job is watched at once.
 * @throws UnavailableError.
 */
export async function connect(event: ConnectEvent, dependencies: SocketDependencies): Promise<SocketAnswer> {
  const job = event.query['job'];
  if (job !== undefined) {
    if (!v.is(JobIdSchema, job))
      return refusal('bad-request', 'job must be a job id such as job_01JCXW3V6Q8Y2T5R9K4M7N0PZA');
    if (!(await mayWatch(event.scope, job, dependencies))) {
      return refusal('forbidden', 'The ticket does not allow to watch this job, or there is no such job');
    }
    await watch(event.connection, job, dependencies);
  }
  // API Gateway echoes nothing by itself; a browser drops a connection that does not select what it offered,
  // and a client that offered nothing must get nothing (aws-facts 1.7).
  const isOffered = event.protocols.includes(SUBPROTOCOL);
  return { statusCode: 200, ...(isOffered ? { headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } } : {}) };
}

async function mayWatch(
  scope: TicketScope,
  job: string,
  { jobs, now }: SocketDependencies,
): Promise<boolean> {
  if (!mayName(scope, job)) return false;
  const record = await jobs.read(job);
  return record !== undefined && maySee(scope, record, now());
}

/**
 * Writes the row, then has the snapshot delivered: a connection cannot be posted to before $connect has returned
 * (aws-facts 2), so another function does it. It reads the job after the row has been written, so nothing can be
 * missed (see `subscribe.ts`).
 */
async function watch(
  connection: string,
  job: string,
  { subscriptions, deliveries, now }: SocketDependencies,
): Promise<void> {
  const at = now();
  const topic = jobTopic(job);
  const connectingUntil = after(at, CONNECTING_MILLISECONDS);
  const expiresAt = after(at, SUBSCRIPTION_MILLISECONDS);
  await subscriptions.add({ topic, connection, since: at.toISOString(), expiresAt, connectingUntil });
  await deliveries.send([{ job, connection, attempt: 0, connectingUntil }]);
}

/** Refuses a connection with a problem as the body. */
export function refusal(code: ProblemCode, detail?: string): SocketAnswer {
  const body = problem(code, detail === undefined ? {} : { detail });
  return {
    statusCode: body.status,
    headers: { 'Content-Type': 'application/problem+json' },
    body: JSON.stringify(body),
  };
}
