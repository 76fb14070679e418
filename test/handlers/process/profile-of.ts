import { Readable } from 'node:stream';
import { csvProfile, csvProfileWithin } from '../../../handlers/process/csv-profile/csv-profile.ts';
import type {
  ColumnSummary,
  CsvProfile,
} from '../../../handlers/process/csv-profile/csv-profile-document.ts';
import { type Plan, planFromText, planToText } from '../../../handlers/process/csv-profile/plan.ts';
import type { ProfilingLimits } from '../../../handlers/process/csv-profile/profiling-limits.ts';
import { inspect, mergeProfiles, profileRange } from '../../../handlers/process/csv-profile/steps.ts';
import type { ProcessorResult } from '../../../handlers/process/processor.ts';
import type { Report } from '../../../handlers/process/report.ts';

const FILE_NAME = 'table.csv';

/** Profiles a file that arrives in these chunks. */
export async function profileOf(
  chunks: readonly (string | Uint8Array)[],
  reports: Report[] = [],
): Promise<CsvProfile> {
  return documentOf(await resultInOnePass(chunks, undefined, reports));
}

/** The result of the processor. */
export function resultInOnePass(
  chunks: readonly (string | Uint8Array)[],
  limits: ProfilingLimits | undefined,
  reports: Report[] = [],
): Promise<ProcessorResult> {
  const bytes = chunks.map((chunk) => Buffer.from(chunk));
  const processor = limits === undefined ? csvProfile : csvProfileWithin(limits);
  return processor.process({
    body: streamOf(bytes),
    size: bytes.reduce((size, chunk) => size + chunk.byteLength, 0),
    contentType: 'text/csv',
    fileName: FILE_NAME,
    report: (report) => void reports.push(report),
    signal: new AbortController().signal,
  });
}

/** The plan of a file. */
export function planOf(file: Uint8Array, limits: ProfilingLimits): Promise<Plan> {
  return inspect({ ...stepInput(file), size: file.byteLength, limits });
}

/** What the second step makes of a range of a file. */
export function partialOf(file: Uint8Array, plan: Plan, index: number): Promise<Uint8Array> {
  const range = plan.ranges[index];
  return profileRange(stepInput(file.subarray(range?.from, range?.to)), plan, index);
}

/** The result of the same work in steps, with all that they leave for each other written out and read again. */
export async function resultInSteps(file: Uint8Array, limits: ProfilingLimits): Promise<ProcessorResult> {
  const plan = planFromText(planToText(await planOf(file, limits)));
  const partials = await Promise.all(plan.ranges.map((_, index) => partialOf(file, plan, index)));
  return mergeProfiles(plan, partials, FILE_NAME);
}

function stepInput(bytes: Uint8Array) {
  return { body: streamOf([bytes]), signal: new AbortController().signal, report: () => undefined };
}

function streamOf(chunks: readonly Uint8Array[]): Readable {
  return Readable.from(chunks, { objectMode: false });
}

/** A result, read. */
export function documentOf({ body, contentType }: ProcessorResult): CsvProfile {
  if (contentType !== 'application/json' || typeof body !== 'string') throw new Error('not a JSON document');
  const profile: CsvProfile = JSON.parse(body);
  return profile;
}

/** The column of that name. */
export function column(profile: CsvProfile, name: string): ColumnSummary {
  const found = profile.columns.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no column ${name}`);
  return found;
}
