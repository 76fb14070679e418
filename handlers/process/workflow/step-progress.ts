import type { Report } from '../report.ts';

/** What watchers see a step called. */
export type StepName = 'fetch' | 'inspect' | 'profile' | 'merge';

/** A step, and its part of the work: in tenths of the time of a file of some hundred megabytes. */
interface WeightedStep {
  readonly name: StepName;
  readonly weight: number;
}

/** The steps of a workflow, in order. */
export type Steps = readonly WeightedStep[];

/** Steps that read the upload. *Inspect* is four times as fast as *profile*, which has several ranges at a time. */
export const STEPS: Steps = [
  { name: 'inspect', weight: 3 },
  { name: 'profile', weight: 6 },
  { name: 'merge', weight: 1 },
];

/** Steps that read a copy. To fetch it takes about as long as to read it once. */
export const STEPS_WITH_FETCH: Steps = [{ name: 'fetch', weight: 3 }, ...STEPS];

/**
 * What a step reports: bytes of the file that it is through with, and how far the whole work is thereby. A step
 * counts bytes from 0 anew; the fraction is that of all steps.
 */
export function reportOf(
  steps: Steps,
  name: StepName,
  done: number,
  size: number,
): Required<Pick<Report, 'progress' | 'step'>> {
  const index = steps.findIndex((step) => step.name === name);
  const before = steps.slice(0, index).reduce((sum, { weight }) => sum + weight, 0);
  const all = steps.reduce((sum, { weight }) => sum + weight, 0);
  // The object may differ from what was announced by nothing; but a fraction must never exceed 1.
  const total = Math.max(size, done);
  const ofStep = total === 0 ? 0 : done / total;
  const fraction = (before + (steps[index]?.weight ?? 0) * ofStep) / all;
  return {
    progress: { done, total, unit: 'bytes', fraction: Math.min(1, fraction) },
    step: { name, index: index + 1, count: steps.length },
  };
}
