import type { Job } from '../protocol/job.ts';
import { SHOWN_STATUSES, type ShownStatus, shownStatus } from './shown-status.ts';

/** Which jobs the list shows: any of the statuses, the tag, and every word of the search. Empty means all. */
export interface JobFilter {
  readonly statuses: readonly ShownStatus[];
  readonly tag: string;
  readonly search: string;
}

/** Shows everything. */
export const NO_FILTER: JobFilter = { statuses: [], tag: '', search: '' };

/** Whether a filter hides anything at all. */
export function isFiltering({ statuses, tag, search }: JobFilter): boolean {
  return statuses.length > 0 || tag !== '' || search.trim() !== '';
}

/** Whether a filter shows a job. A search looks at file name, id, kind and tags, in any case. */
export function shows(filter: JobFilter, job: Job): boolean {
  if (filter.statuses.length > 0 && !filter.statuses.includes(shownStatus(job))) return false;
  return showsApartFromStatus(filter, job);
}

/** As `shows`, for counts that stand on the statuses' own switches. */
export function showsApartFromStatus({ tag, search }: JobFilter, job: Job): boolean {
  if (tag !== '' && !job.tags.includes(tag)) return false;
  const text = [job.input?.fileName ?? '', job.id, job.kind, ...job.tags].join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Switches a status on or off. */
export function toggled({ statuses, ...rest }: JobFilter, status: ShownStatus): JobFilter {
  const others = statuses.filter((each) => each !== status);
  return { ...rest, statuses: others.length === statuses.length ? [...statuses, status] : others };
}

/** `?status=running,queued&tag=nightly&q=rides` for an address that can be kept; empty for no filter. */
export function formatFilter({ statuses, tag, search }: JobFilter): string {
  const query = new URLSearchParams();
  if (statuses.length > 0) query.set('status', statuses.join(','));
  if (tag !== '') query.set('tag', tag);
  if (search.trim() !== '') query.set('q', search.trim());
  return query.size === 0 ? '' : `?${query}`;
}

/** Reads what `formatFilter` wrote; what it does not know it leaves out. */
export function parseFilter(text: string): JobFilter {
  const query = new URLSearchParams(text);
  const named = (query.get('status') ?? '').split(',');
  return {
    statuses: SHOWN_STATUSES.filter((status) => named.includes(status)),
    tag: query.get('tag') ?? '',
    search: query.get('q') ?? '',
  };
}
