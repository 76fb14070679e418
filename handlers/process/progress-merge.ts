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
 * it never goes backwards, and a processor that begins a second pass is no error. `uploadShare` is the part of the
 * job's fraction that lies behind: what the processor reports from 0 to 1 fills the rest (docs/decisions/0011).
 * @throws InvalidReportError, TooLargeError, each naming the field.
 */
export function mergeReport(before: ReportedFields, report: Report, uploadShare = 0): ReportedFields {
  const { step, message } = report;
  const progress =
    report.progress === undefined ? undefined : mergeProgress(before.progress, report.progress, uploadShare);
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

function mergeProgress(
  before: Progress | undefined,
  reported: NonNullable<Report['progress']>,
  uploadShare: number,
): Progress {
  const { done, total, unit } = reported;
  const floor = before?.fraction ?? 0;
  const ofWork = reported.fraction ?? fractionOf(done, total);
  if (ofWork !== undefined && !(ofWork >= 0 && ofWork <= 1)) {
    throw new InvalidReportError(`progress.fraction: must be from 0 to 1, not ${ofWork}`);
  }
  // Rounding must not make it more than all.
  const fraction = ofWork === undefined ? floor : Math.min(1, uploadShare + (1 - uploadShare) * ofWork);
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
