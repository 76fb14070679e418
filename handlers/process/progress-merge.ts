import type { Progress, Step } from '../../protocol/job.ts';
import { InvalidReportError } from '../errors.ts';
import { checkFields } from '../job-fields.ts';
import type { Report } from './report.ts';

/** What reports have come to: what the job will say next. */
export interface ReportedFields {
  readonly progress?: Progress;
  readonly step?: Step;
  readonly message?: string;
}

/**
 * The fields after one more report. A fraction that is less than before stays as it was: the contract says that
 * it never goes backwards, and a processor that begins a second pass is no error.
 * @throws InvalidReportError, TooLargeError, each naming the field.
 */
export function mergeReport(before: ReportedFields, report: Report): ReportedFields {
  const { step, message } = report;
  const progress =
    report.progress === undefined ? undefined : mergeProgress(before.progress, report.progress);
  const { progress: checked, ...others } = checkFields({
    ...(progress === undefined ? {} : { progress }),
    ...(step === undefined ? {} : { step }),
    ...(message === undefined ? {} : { message }),
  });
  return {
    ...before,
    ...(checked === undefined ? {} : { progress: checked }),
    ...(others.step === undefined ? {} : { step: others.step }),
    ...(others.message === undefined ? {} : { message: others.message }),
  };
}

function mergeProgress(before: Progress | undefined, reported: NonNullable<Report['progress']>): Progress {
  const { done, total, unit } = reported;
  const floor = before?.fraction ?? 0;
  const fraction = reported.fraction ?? fractionOf(done, total) ?? floor;
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new InvalidReportError(`progress.fraction: must be from 0 to 1, not ${fraction}`);
  }
  return {
    ...(done === undefined ? {} : { done }),
    ...(total === undefined ? {} : { total }),
    ...(unit === undefined ? {} : { unit }),
    fraction: Math.max(floor, fraction),
  };
}

/** More done than there was to do is a miscount, not a reason to fail: it counts as all. */
function fractionOf(done: number | undefined, total: number | undefined): number | undefined {
  if (done === undefined || total === undefined || total <= 0 || done < 0) return undefined;
  if (!Number.isFinite(done) || !Number.isFinite(total)) return undefined;
  return Math.min(1, done / total);
}
