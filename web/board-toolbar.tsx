import { showsApartFromStatus, toggled } from './job-filter.ts';
import { SHOWN_STATUSES, type ShownStatus, shownStatus } from './shown-status.ts';
import type { Store } from './store.ts';
import { STATUS_LABELS } from './wording.ts';

/** The search field's id, for the shortcut. */
export const SEARCH_FIELD = 'job-search';

/** Chooses which jobs the list shows. The counts are of the jobs listed here, apart from the statuses chosen. */
export function BoardToolbar({ store }: { store: Store }) {
  const filter = store.router.filter.value;
  const { counts, tags } = summary(store);
  const showOnly = (change: Partial<typeof filter>) => store.router.showOnly({ ...filter, ...change });
  return (
    <search class="toolbar">
      <label class="search-field">
        <span class="visually-hidden">Search by file name, id or tag</span>
        <svg class="search-sign" viewBox="0 0 20 20" aria-hidden="true">
          <circle cx="8.5" cy="8.5" r="5.5" />
          <path d="m13 13 4.5 4.5" />
        </svg>
        <input
          id={SEARCH_FIELD}
          type="search"
          data-testid="search"
          placeholder="Name, id, tag"
          autocomplete="off"
          spellcheck={false}
          value={filter.search}
          onInput={(event) => showOnly({ search: event.currentTarget.value })}
        />
      </label>
      {/* There before there are tags: the list below stays where it is when the first one comes. */}
      <label class="tag-field">
        <span class="visually-hidden">Tag</span>
        <select
          data-testid="tag-filter"
          disabled={tags.length === 0 && filter.tag === ''}
          value={filter.tag}
          onChange={(event) => showOnly({ tag: event.currentTarget.value })}
        >
          <option value="">Any tag</option>
          {(tags.includes(filter.tag) || filter.tag === '' ? tags : [...tags, filter.tag]).map((tag) => (
            <option key={tag} value={tag}>
              {tag}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="status-switches">
        <legend class="visually-hidden">Statuses</legend>
        {SHOWN_STATUSES.map((status) => (
          <StatusSwitch
            key={status}
            status={status}
            count={counts.get(status) ?? 0}
            pressed={filter.statuses.includes(status)}
            onToggle={() => store.router.showOnly(toggled(filter, status))}
          />
        ))}
      </fieldset>
    </search>
  );
}

function StatusSwitch(props: { status: ShownStatus; count: number; pressed: boolean; onToggle: () => void }) {
  return (
    <button
      type="button"
      class={`status-switch chip-${props.status}`}
      aria-pressed={props.pressed}
      data-testid={`filter-${props.status}`}
      data-none={props.count === 0}
      onClick={props.onToggle}
    >
      <span class="chip-mark" aria-hidden="true" />
      {STATUS_LABELS[props.status]}
      <span class="number switch-count">{props.count}</span>
    </button>
  );
}

function summary(store: Store) {
  const filter = store.router.filter.value;
  const counts = new Map<ShownStatus, number>();
  const tags = new Set<string>();
  for (const id of store.jobs.order.value) {
    const job = store.jobs.job(id).value;
    if (job === undefined) continue;
    for (const tag of job.tags) tags.add(tag);
    const status = shownStatus(job);
    if (showsApartFromStatus(filter, job)) counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return { counts, tags: [...tags].sort() };
}
