import type { Kind } from '../../../protocol/kinds.ts';
import type { Jobs, Queue } from '../../ports.ts';
import type { Deadline } from '../../queue-messages.ts';
import { claim } from '../claim.ts';
import { sendExecutionDeadline } from '../execution-deadline.ts';
import { UNKNOWN_KIND_ERROR } from '../job-failure.ts';
import { type Persistence, persist } from '../persistence.ts';
import { LAST_TRY_BEFORE_END } from '../time-left.ts';
import { JobFailed } from './step-errors.ts';
import type { StepRequest } from './step-request.ts';

/** The kind whose work the steps of the workflow are; a job of another ends with `unknown-kind`. */
const KIND: Kind = 'csv-profile';

/** What `begin` needs. */
export interface BeginParts extends Persistence {
  readonly jobs: Jobs;
  readonly deadlines: Queue<Deadline>;
}

/** Whether the execution has the job, or nothing is to be done. */
export interface BeginAnswer {
  readonly outcome: 'claimed' | 'drop';
}

/**
 * The first step: takes the job for the execution, under its name, and sends the execution's deadline. Repeated, it
 * finds the job its own, and says so again.
 * @throws JobFailed for a kind that has no steps; UnavailableError, after which it may be tried again, for hours if need
 *   be: until it is claimed the job is queued.
 */
export async function begin(request: StepRequest, endsAt: number, parts: BeginParts): Promise<BeginAnswer> {
  const { execution } = request;
  const until = endsAt - LAST_TRY_BEFORE_END;
  const claimed = await persist('claiming the job', () => claim(request, execution, parts), until, parts);
  // Where another execution is at work, somebody started one of the two by hand; whichever has the job ends it.
  if (claimed.kind !== 'claimed') return { outcome: 'drop' };
  if (claimed.record.job.kind !== KIND) throw new JobFailed(UNKNOWN_KIND_ERROR);
  await sendExecutionDeadline(request, execution, until, parts);
  return { outcome: 'claimed' };
}
