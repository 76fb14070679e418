import { useRef } from 'preact/hooks';
import { BoardToolbar } from './board-toolbar.tsx';
import { isFiltering, NO_FILTER } from './job-filter.ts';
import { JobRow } from './job-row.tsx';
import { MAXIMUM_LISTED } from './job-table.ts';
import { moveAmongRows } from './keyboard.ts';
import type { Store } from './store.ts';
import { explain } from './wording.ts';

/**
 * The jobs, newest first; those of others appear as they are made. Beside an open job it is narrow. Nothing is listed
 * before the list has been asked for: the open job, which may come before it, would be pushed down by those above it.
 */
export function JobBoard({ store, open }: { store: Store; open?: string }) {
  const ids = store.shown.value;
  const list = useRef<HTMLOListElement>(null);
  return (
    <section class="board" aria-labelledby="board-title">
      <div class="board-head">
        <h2 id="board-title">Jobs</h2>
        <BoardToolbar store={store} />
      </div>
      {ids.length === 0 || store.list.value.status === 'loading' ? (
        <EmptyBoard store={store} />
      ) : (
        <ol
          class="rows"
          data-testid="job-list"
          ref={list}
          onKeyDown={(event) => moveAmongRows(event, list.current)}
        >
          {ids.map((id) => (
            <JobRow key={id} store={store} id={id} current={id === open} />
          ))}
        </ol>
      )}
      <Older store={store} />
    </section>
  );
}

function Older({ store }: { store: Store }) {
  const list = store.list.value;
  if (list.status !== 'ready' || list.cursor === undefined) return null;
  if (store.jobs.order.value.length >= MAXIMUM_LISTED) {
    return (
      <p class="soft" data-testid="list-full">
        The newest {MAXIMUM_LISTED} jobs are listed here. Older ones open by their own address.
      </p>
    );
  }
  return (
    <button
      type="button"
      class="secondary older"
      data-testid="older"
      disabled={list.asking === true}
      onClick={() => void store.showOlder()}
    >
      Show older jobs
    </button>
  );
}

function EmptyBoard({ store }: { store: Store }) {
  const list = store.list.value;
  if (list.status === 'loading') return <p class="empty">Looking for jobs…</p>;
  if (list.status === 'failed') {
    return (
      <p class="empty" data-testid="list-error">
        The jobs could not be listed. {explain(list.error)}
        {store.connection.value.status === 'closed' ? null : ' They appear here once there is an answer.'}
      </p>
    );
  }
  if (isFiltering(store.router.filter.value) && store.jobs.order.value.length > 0) {
    return (
      <div class="empty" data-testid="nothing-found">
        <p>None of the jobs listed here is like that.</p>
        <button type="button" class="secondary" onClick={() => store.router.showOnly(NO_FILTER)}>
          Show all
        </button>
      </div>
    );
  }
  return (
    <p class="empty" data-testid="empty">
      No jobs yet. The first file that you upload, here or from elsewhere, appears in this list.
    </p>
  );
}
