import type { ConnectionState } from '../client/state.ts';
import type { Job } from '../protocol/job.ts';
import { safeText } from './safe-text.ts';
import { formatFraction } from './units.ts';

/** A job's state in words, on one line: status, progress, step, message or error. */
export function describeJob(job: Job): string {
  const percent = job.progress === undefined ? undefined : formatFraction(job.progress.fraction);
  return [job.status, percent, ...describeDetails(job)].filter(Boolean).join(' · ');
}

/** What there is to say beside status and progress. */
export function describeDetails(job: Job): readonly string[] {
  if (job.error !== undefined) {
    const { code, title, detail } = job.error;
    return [safeText(`${code}: ${title}`), ...(detail === undefined ? [] : [safeText(detail)])];
  }
  const { step, message } = job;
  return [
    ...(job.stalled ? ['stalled'] : []),
    ...(step === undefined ? [] : [`${safeText(step.name)} ${step.index}/${step.count}`]),
    ...(message === undefined ? [] : [safeText(message)]),
  ];
}

/** What a person should know of the connection; undefined while all is well. */
export function describeConnection(state: ConnectionState): string | undefined {
  switch (state.status) {
    case 'reconnecting':
      return 'connection lost, connecting again';
    case 'stale':
      return 'no connection; this may be old';
    default:
      return undefined;
  }
}
