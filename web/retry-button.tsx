import type { Job } from '../protocol/job.ts';
import { isKind, type Kind } from '../protocol/kinds.ts';
import type { Store } from './store.ts';

/**
 * A new job of the same file, kind and tags. Nothing of the old one is sent again by itself: this page has the file
 * only if it was chosen here since the page was opened; otherwise it asks for it and says why.
 */
export function RetryButton({ store, job }: { store: Store; job: Job }) {
  const { kind } = job;
  if (job.status === 'succeeded' || !isKind(kind)) return null;
  const file = store.uploads.file(job.id);
  if (file === undefined) return <ChooseAgain store={store} job={job} kind={kind} />;
  return (
    <button
      type="button"
      class="secondary"
      data-testid="retry"
      onClick={() => void store.submitAgain(job, file, kind)}
    >
      Try again
    </button>
  );
}

function ChooseAgain({ store, job, kind }: { store: Store; job: Job; kind: Kind }) {
  return (
    <div class="retry">
      <label class="button-like secondary">
        <input
          type="file"
          class="visually-hidden"
          data-testid="retry-file"
          aria-describedby="retry-note"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file !== undefined) void store.submitAgain(job, file, kind);
          }}
        />
        Choose file and try again
      </label>
      <span class="fine" id="retry-note">
        This page does not have the file any more.
      </span>
    </div>
  );
}
