import type { Readable } from 'node:stream';
import type { JobRecord } from '../ports.ts';
import { withBody } from './payload-body.ts';
import type { Processor } from './processor.ts';
import type { ProgressReporter } from './report.ts';
import { type StoredResult, storedResult } from './stored-result.ts';

/**
 * Runs a processor on an opened upload, and closes it.
 * @throws as `withBody`; TypeError when the result has no storable content type.
 */
export async function runProcessor(
  processor: Processor,
  record: JobRecord,
  upload: Readable,
  reporter: ProgressReporter,
  signal: AbortSignal,
): Promise<StoredResult> {
  const { input } = record.job;
  const result = await withBody(upload, signal, (body) =>
    processor.process({
      body,
      size: input?.size ?? 0,
      contentType: input?.contentType ?? 'application/octet-stream',
      fileName: input?.fileName ?? record.job.id,
      report: (report) => reporter.report(report),
      signal,
    }),
  );
  return storedResult(result);
}
