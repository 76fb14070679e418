import { MAXIMUM_RECORD_CHARACTERS } from './record-splitter.ts';

/**
 * What the result may depend on beside the bytes of the file: the same for all steps and for the whole work in one
 * pass.
 */
export interface ProfilingLimits {
  /** The bytes of a range, unless that makes more than `mostRanges`. */
  readonly rangeBytes: number;
  readonly mostRanges: number;
  /** See `MAXIMUM_RECORD_CHARACTERS`. */
  readonly recordCharacters: number;
}

/**
 * 128 MiB take a step some seconds, which a start is worth. Forty ranges are four rounds of a Map that runs ten at a
 * time, and few enough for an attribute each in the job's item.
 */
export const PROFILING_LIMITS: ProfilingLimits = {
  rangeBytes: 128 * 1024 * 1024,
  mostRanges: 40,
  recordCharacters: MAXIMUM_RECORD_CHARACTERS,
};

/** The same with ranges of so many megabytes (2^20 bytes): a setting of the stack, the same for all of its functions. */
export function limitsWithRanges(megabytes: number): ProfilingLimits {
  return { ...PROFILING_LIMITS, rangeBytes: Math.ceil(megabytes * 1024 * 1024) };
}
