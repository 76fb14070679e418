import { JobRow } from './job-row.tsx';
import type { Store } from './store.ts';
import { explain } from './wording.ts';

/** The recent jobs, newest first; those of others appear as they are made. */
export function JobList({ store }: { store: Store }) {
  const ids = store.jobs.order.value;
  const route = store.router.route.value;
  const open = route.name === 'job' ? route.id : undefined;
  return (
    <section class="recent" aria-labelledby="recent-title">
      <div class="recent-head">
        <h2 id="recent-title">Recent jobs</h2>
        {open === undefined ? null : (
          <a class="button button-small" href="#/">
            New upload
          </a>
        )}
      </div>
      {ids.length === 0 ? (
        <EmptyList store={store} />
      ) : (
        <ol class="rows" data-testid="job-list">
          {ids.map((id) => (
            <JobRow key={id} job={store.jobs.job(id)} now={store.now} current={id === open} />
          ))}
        </ol>
      )}
    </section>
  );
}

function EmptyList({ store }: { store: Store }) {
  const list = store.list.value;
  if (list.status === 'loading') return <p class="empty">Looking for jobs…</p>;
  if (list.status === 'ready') {
    return (
      <p class="empty" data-testid="empty">
        No jobs yet. The first file that you upload, here or from elsewhere, appears in this list.
      </p>
    );
  }
  return (
    <p class="empty" data-testid="list-error">
      The jobs could not be listed. {explain(list.error)} They appear here once there is a connection.
    </p>
  );
}
