import { PROFILING_LIMITS } from '../../handlers/process/csv-profile/profiling-limits.ts';
import type { Load } from './load.ts';
import type { Usage } from './usage.ts';

/** What of the whole work it takes to read a file through and plan: docs/decisions/0019 (36 and 160 MB a second). */
const INSPECTING = 36 / 160;

/** A step that reads says how far it is at its beginning and its end; so does `merge`, whose last word ends the job. */
const REPORTS = { reading: 2, merging: 1 } as const;

/** States beside a state a range: Begin, Claimed, Inspect, Profile, Merge; and the end of the execution. */
const STATES = 6;

/** Steps that read the whole of a file: inspect, and all ranges together. */
const READINGS = 2;

const SECONDS_OF_A_MONTH = 30 * 86_400;

/** How many ranges a file of so many bytes is profiled in (handlers/process/csv-profile/range-finder.ts). */
export function rangesOf(bytes: number): number {
  const { rangeBytes, mostRanges } = PROFILING_LIMITS;
  return Math.min(mostRanges, Math.max(1, Math.ceil(bytes / rangeBytes)));
}

/** State transitions of a job, where nothing is retried: each is on the bill. */
export function transitionsOf(bytes: number, shared: boolean): number {
  return STATES + rangesOf(bytes) + (shared ? 1 : 0);
}

/** Reports of progress that the steps write whatever the load says. */
export function stepReportsOf({ payloadMb }: Pick<Load, 'payloadMb'>, shared: boolean): number {
  const steps = 1 + rangesOf(payloadMb * 1e6) + (shared ? 1 : 0);
  return steps * REPORTS.reading + REPORTS.merging;
}

/** The workflow of so many jobs, from the start of its execution to its end. */
export function addWorkflow(usage: Usage, load: Load, jobs: number, shared: boolean): void {
  const bytes = load.payloadMb * 1e6;
  const gigabytes = load.payloadMb / 1e3;
  const ranges = rangesOf(bytes);
  const workMs = load.jobSeconds * 1_000;
  // Of a shared folder S3 is not asked.
  const without = shared ? ['workspace', 'uploads'] : [];
  const step = 'an invocation of its own';
  usage.run('a workflow begins', jobs, 'begin', step);
  if (shared) {
    const work = (load.payloadMb / load.fetchMbPerSecond) * 1_000;
    usage.run('a workflow inspects', jobs, 'fetch', step, { work, without: ['workspace'] }); // the same requests
    usage.add('fileWrites', jobs * gigabytes);
    usage.add('fileReads', jobs * gigabytes * READINGS);
    usage.add('fileGigabytes', (jobs * gigabytes * load.jobSeconds) / SECONDS_OF_A_MONTH);
  }
  usage.run('a workflow inspects', jobs, 'inspect', step, { work: workMs * INSPECTING, without });
  usage.run('a workflow profiles a range', jobs * ranges, 'profile', step, {
    work: workMs / ranges,
    without,
  });
  usage.run('a workflow merges', jobs, 'merge', step, { work: (ranges - 1) * load.requestMs, without });
  if (!shared) usage.add('objectReads', jobs * (ranges - 1)); // the profile of each range more
  usage.add('transitions', jobs * transitionsOf(bytes, shared));
}
