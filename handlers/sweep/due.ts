import type { JobError } from '../../protocol/job.ts';
import type { Status } from '../../protocol/status.ts';
import type { JobRecord } from '../ports.ts';

/** Without a word for so long, a running job is stalled. Three heartbeats of the process stage fit into it. */
export const STALL_SECONDS = 60;

/** So long a job waits for a worker: what the work queue keeps a message for. */
export const QUEUED_SECONDS = 6 * 3600;

/**
 * So long a job may wait before its work is sent again, in case it was never sent: longer than the retries of
 * `object-created` take (three attempts within some three minutes: infrastructure/object-created.ts).
 */
export const WORK_AGAIN_SECONDS = 900;

/** How often after that: seldom, because a long wait is mostly a long queue, and one message more lengthens it. */
export const WORK_AGAIN_EVERY_SECONDS = 3600;

/**
 * So long after an execution was last known to be alive it may still be taken up: its message comes again after the
 * visibility time-out of the work queue, which must be longer than the function's 900 seconds, and some time for SQS.
 * A workflow repeats a step that was killed within seconds, or one that Lambda turns away within minutes.
 */
export const REDELIVERY_SECONDS = 960;

/** What has to happen now, and when to look next if the job stays in its status. */
export interface Due {
  readonly action?:
    | { readonly to: 'expired' | 'failed'; readonly error: JobError }
    | { readonly to: 'stalled' };
  /** Absent where there is nothing to look for any more. */
  readonly nextLook?: Date;
}

/** What is due for a job at `now`. A terminal job has nothing due, ever. */
export function dueOf(record: JobRecord, now: Date): Due {
  switch (record.job.status) {
    case 'awaiting-upload':
      return deadline(Date.parse(record.uploadUntil), now, 'expired', {
        code: 'upload-missing',
        title: 'The file was not uploaded in time',
        retryable: true,
      });
    case 'queued':
      return deadline(enteredAt(record, 'queued') + QUEUED_SECONDS * 1000, now, 'failed', {
        code: 'not-started',
        title: 'The work was not begun in time',
        retryable: true,
      });
    case 'running':
      return dueWhileRunning(record, now);
    default:
      return {};
  }
}

/**
 * Whether the work of a job has to be sent again, since nobody else would if it had never been sent. `lookedAt`
 * is when the chain of looks last came by. An upload without a tag was not found to be what was announced.
 */
export function isWorkDue(record: JobRecord, lookedAt: string | undefined, now: Date): boolean {
  if (record.job.status !== 'queued' || record.objectTag === undefined) return false;
  const firstAt = enteredAt(record, 'queued') + WORK_AGAIN_SECONDS * 1000;
  const turns = (at: number) =>
    Math.max(0, 1 + Math.floor((at - firstAt) / (WORK_AGAIN_EVERY_SECONDS * 1000)));
  return turns(now.getTime()) > (lookedAt === undefined ? 0 : turns(Date.parse(lookedAt)));
}

function dueWhileRunning(record: JobRecord, now: Date): Due {
  const heardAt = Date.parse(record.job.updatedAt);
  const aliveUntil = record.execution === undefined ? heardAt : Date.parse(record.execution.aliveUntil);
  const lostAt = aliveUntil + REDELIVERY_SECONDS * 1000;
  const lost = deadline(lostAt, now, 'failed', {
    code: 'processor-lost',
    title: 'The work broke off and was not taken up again',
    retryable: true,
  });
  if (lost.action !== undefined) return lost;
  const stalledAt = heardAt + STALL_SECONDS * 1000;
  if (!record.job.stalled && stalledAt <= now.getTime()) {
    return { action: { to: 'stalled' } };
  }
  // Once stalled, it is looked at each minute: it may recover, and then stall again.
  const nextLook = record.job.stalled ? now.getTime() + STALL_SECONDS * 1000 : stalledAt;
  return { nextLook: new Date(Math.min(nextLook, lostAt)) };
}

function deadline(at: number, now: Date, to: 'expired' | 'failed', error: JobError): Due {
  const nextLook = new Date(at);
  return at <= now.getTime() ? { action: { to, error } } : { nextLook };
}

function enteredAt({ job }: JobRecord, status: Status): number {
  return Date.parse(job.history.find((entry) => entry.status === status)?.at ?? job.updatedAt);
}
