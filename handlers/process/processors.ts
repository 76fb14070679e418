import type { Kind } from '../../protocol/kinds.ts';
import { csvProfileWithin } from './csv-profile/csv-profile.ts';
import type { ProfilingLimits } from './csv-profile/profiling-limits.ts';
import type { Processor } from './processor.ts';

/** The processor of each kind, with these limits where it has any. A kind without one does not compile. */
export function processorsWithin(limits: ProfilingLimits): Readonly<Record<Kind, Processor>> {
  return { 'csv-profile': csvProfileWithin(limits) };
}
