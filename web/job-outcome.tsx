import type { Job } from '../protocol/job.ts';
import { Notice } from './notice.tsx';
import type { Store } from './store.ts';
import { formatBytes } from './units.ts';

/**
 * What came of the job. The result is a plain link, so that it can be opened elsewhere and copied; a click asks for
 * the download's own address first, with the job's token where this page has it.
 */
export function JobOutcome({ store, job }: { store: Store; job: Job }) {
  if (job.status === 'succeeded' && job.result !== undefined) {
    return (
      <p class="actions">
        <a
          class="button"
          data-testid="result"
          href={store.resultUrl(job.id)}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            void store.download(job.id);
          }}
        >
          Download result
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
      {job.error.retryable ? ' The same file may succeed if it is uploaded again.' : null}
    </Notice>
  );
}
