import type { Job } from '../protocol/job.ts';
import { Notice } from './notice.tsx';
import { formatBytes } from './units.ts';

/**
 * What came of the job. The result is a plain link, which the API answers with a redirect to a download. A link
 * carries no token, so this works where the API knows its caller without one: with `auth=open`, or by a cookie.
 * (`fetch` cannot take its place: a cross-origin redirect hides its `Location` from a script.)
 */
export function JobOutcome({ job, resultUrl }: { job: Job; resultUrl: string }) {
  if (job.status === 'succeeded' && job.result !== undefined) {
    return (
      <p class="actions">
        <a class="button" data-testid="result" href={resultUrl} target="_blank" rel="noopener noreferrer">
          Open result
        </a>
        <span class="actions-note">
          {job.result.contentType}, {formatBytes(job.result.size)}
        </span>
      </p>
    );
  }
  if (job.error === undefined) return null;
  return (
    <Notice tone="error" title={job.error.title}>
      {job.error.detail === undefined ? null : <span data-testid="error-detail">{job.error.detail} </span>}
      <code data-testid="error-code">{job.error.code}</code>
      {job.error.retryable ? ' The same file may succeed if you upload it again.' : null}
    </Notice>
  );
}
