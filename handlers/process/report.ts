import type { Step } from '../../protocol/job.ts';

/** How far the work is. Each field replaces what was reported before; what is left out stays. */
export interface Report {
  readonly progress?: {
    /** Finite and not negative, as `total`; counted in `unit`s. */
    readonly done?: number;
    readonly total?: number;
    readonly unit?: string;
    /** 0 to 1. Without it, `done / total` where both are there; what is less than before counts as before. */
    readonly fraction?: number;
  };
  readonly step?: Step;
  readonly message?: string;
}

/** Where a processor says how far it is. */
export interface ProgressReporter {
  /**
   * Safe in a tight loop: only the newest report is written, at most every 100 ms.
   * @throws InvalidReportError, TooLargeError, each naming the field; the report counts for nothing then.
   */
  report(report: Report): void;
}
