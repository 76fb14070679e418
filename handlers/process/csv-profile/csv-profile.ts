import type { Processor, ProcessorInput, ProcessorResult } from '../processor.ts';
import { FileScan, type RowVisitor } from './file-scan.ts';
import { PROFILING_LIMITS, type ProfilingLimits } from './profiling-limits.ts';
import { messageOf } from './progress-message.ts';
import { emptyRangeProfile, type RangeProfile } from './range-profile.ts';
import { resultOf } from './steps.ts';
import { textPieces } from './text-pieces.ts';

const STEPS = ['sniff', 'profile', 'summarize'] as const;

/**
 * Profiles a CSV file of any size in memory that does not grow with it: UTF-8, delimiter and header found out,
 * quotes after RFC 4180. The result is a `CsvProfile`. Errors: `not-csv`, `broken-quotes`, `too-many-columns`.
 *
 * Comes to the same, byte for byte, as the steps of steps.ts: a file is profiled range by range here too
 * (docs/decisions/0019-ranges.md).
 */
export const csvProfile: Processor = csvProfileWithin(PROFILING_LIMITS);

/** The processor with other limits than the default ones. */
export function csvProfileWithin(limits: ProfilingLimits): Processor {
  return {
    kind: 'csv-profile',

    async process(input: ProcessorInput): Promise<ProcessorResult> {
      announce(input, 'sniff', 0);
      const profiles = new ProfilesInOrder();
      const scan = new FileScan(input.size, limits, profiles);
      for await (const piece of textPieces(input.body, input.signal)) {
        scan.take(piece);
        announceRows(input, scan);
      }
      const plan = scan.end();
      announceRows(input, scan);
      announce(input, 'summarize', scan.bytes);
      return resultOf(plan, profiles.end(plan.dialect.width), input.fileName);
    },
  };
}

/** Profiles ranges as they come: the present one, and what those before have come to. */
class ProfilesInOrder implements RowVisitor {
  #before: RangeProfile | undefined;
  #present: RangeProfile | undefined;

  begin(width: number): void {
    this.#before = this.#merged();
    this.#present = emptyRangeProfile(width);
  }

  row(fields: readonly string[]): void {
    this.#present?.add(fields);
  }

  /** All that there is, of a file with so many columns. */
  end(width: number): RangeProfile {
    return this.#merged() ?? emptyRangeProfile(width);
  }

  #merged(): RangeProfile | undefined {
    if (this.#present !== undefined) this.#before?.merge(this.#present);
    return this.#before ?? this.#present;
  }
}

function announceRows(input: ProcessorInput, { counts, bytes }: FileScan): void {
  if (counts !== undefined) announce(input, 'profile', bytes, messageOf(counts));
}

function announce(input: ProcessorInput, step: (typeof STEPS)[number], done: number, message?: string): void {
  // The object may differ from what was announced by nothing; but a fraction must never exceed 1.
  const total = Math.max(input.size, done);
  input.report({
    progress: { done, total, unit: 'bytes', ...(total === 0 ? { fraction: 0 } : {}) },
    step: { name: step, index: STEPS.indexOf(step) + 1, count: STEPS.length },
    ...(message === undefined ? {} : { message }),
  });
}
