import { useEffect } from 'preact/hooks';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { Store } from './store.ts';
import { formatPercent } from './units.ts';
import { jobName, STATUS_LABELS } from './wording.ts';

/** Keeps the title of the tab: what comes first is what is left of it among many tabs. */
export function PageTitle({ store }: { store: Store }) {
  const route = store.router.route.value;
  const job = route.name === 'job' ? store.jobs.job(route.id).value : undefined;
  const title = job === undefined ? 'Jobwire' : `${headline(store, job)} – Jobwire`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  return null;
}

function headline(store: Store, job: Job): string {
  const name = jobName(job);
  if (isTerminal(job.status)) return `${STATUS_LABELS[job.status]}: ${name}`;
  const fraction = store.records.of(job.id).overall.of(job, store.uploads.state(job.id)?.value);
  return fraction === undefined ? name : `${formatPercent(fraction)} ${name}`;
}
