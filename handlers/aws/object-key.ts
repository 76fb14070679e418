import * as v from 'valibot';
import { EpochSchema, JobIdSchema } from '../../protocol/job.ts';
import type { JobRecord } from '../ports.ts';

/** Where uploads lie in their bucket; the rule that hears of them filters by it. */
export const UPLOADS_PREFIX = 'uploads/';

/** Where results lie in their bucket. */
export const RESULTS_PREFIX = 'results/';

/** The key of a job's upload: `uploads/<job>/<epoch>`. */
export function uploadKeyOf({ job }: { readonly job: Pick<JobRecord['job'], 'id' | 'epoch'> }): string {
  return `${UPLOADS_PREFIX}${job.id}/${job.epoch}`;
}

/** The key of a job's result: `results/<job>/<epoch>`. */
export function resultKeyOf(record: JobRecord): string {
  return `${RESULTS_PREFIX}${record.job.id}/${record.job.epoch}`;
}

/** The job and epoch of an upload's key; undefined for any other key. */
export function parseUploadKey(key: string): { readonly job: string; readonly epoch: string } | undefined {
  if (!key.startsWith(UPLOADS_PREFIX)) return undefined;
  const [job, epoch, ...rest] = key.slice(UPLOADS_PREFIX.length).split('/');
  if (!v.is(JobIdSchema, job) || !v.is(EpochSchema, epoch) || rest.length > 0) return undefined;
  return { job, epoch };
}
