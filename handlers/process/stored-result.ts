import * as v from 'valibot';
import { JobResultSchema, type Progress } from '../../protocol/job.ts';
import type { JobFields, JobRecord } from '../ports.ts';
import type { ProcessorResult } from './processor.ts';
import type { ReportedFields } from './progress-merge.ts';

/** What a processor made, as it is stored. */
export interface StoredResult {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** @throws TypeError when the result has no storable content type. */
export function storedResult({ body, contentType }: ProcessorResult): StoredResult {
  if (!v.is(JobResultSchema.entries.contentType, contentType)) {
    throw new TypeError(`the processor's result has a content type that cannot be stored: ${contentType}`);
  }
  return { bytes: typeof body === 'string' ? new TextEncoder().encode(body) : body, contentType };
}

/** What a job says once it has succeeded; `fields` is what was reported last. */
export function successFields(
  { job }: JobRecord,
  fields: ReportedFields,
  { bytes, contentType }: StoredResult,
): JobFields {
  const result = { href: `/jobs/${job.id}/result`, contentType, size: bytes.byteLength };
  return { ...fields, progress: complete(fields.progress), result };
}

/** All is done: whatever was counted last, the total is reached. */
function complete(progress: Progress | undefined): Progress {
  if (progress === undefined) return { fraction: 1 };
  return { ...progress, ...(progress.total === undefined ? {} : { done: progress.total }), fraction: 1 };
}
