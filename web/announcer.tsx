import { useEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../protocol/job.ts';
import { formatFilter, isFiltering } from './job-filter.ts';
import type { Store } from './store.ts';
import { formatCount } from './units.ts';
import { connectionLabel, jobName, STATUS_LABELS } from './wording.ts';

/** A connection that is lost and back sooner is nobody's business: on a train that would be said all the way. */
const LASTING_MS = 3_000;

/** What a search has found is said once no more is typed. */
const TYPED_MS = 1_000;

/**
 * Tells a screen reader of what changes in front of it: another status of the open job, a job that stalls, an upload
 * that fails, another state of the connection that lasts, how many jobs a filter leaves. Not of percentages, and not
 * of how things stood when they were opened: who opens a page reads it.
 */
export function Announcer({ store }: { store: Store }) {
  const route = store.router.route.value;
  const job = route.name === 'job' ? store.jobs.job(route.id).value : undefined;
  const { value } = store.connection;
  // The first connection is what everybody expects; that it cannot be made is news.
  const connection = value.status === 'connecting' ? ({ status: 'live' } as const) : value;
  return (
    <>
      <Spoken of={job?.id} text={job === undefined ? '' : textOf(store, job)} />
      <Spoken of="connection" text={connectionLabel(connection)} afterMs={LASTING_MS} />
      <Found store={store} />
    </>
  );
}

function textOf(store: Store, job: Job): string {
  const name = jobName(job);
  if (job.status === 'awaiting-upload' && store.uploads.state(job.id)?.value.phase === 'failed') {
    return `${name}: The upload failed`;
  }
  const why = job.error === undefined ? '' : `, ${job.error.title}`;
  const stalled = job.stalled ? ', not heard from for a while' : '';
  return `${name}: ${STATUS_LABELS[job.status]}${why}${stalled}`;
}

/** Speaks a text when it changes and has stood for so long, but not the first of what it is about. */
function Spoken({ of, text, afterMs = 0 }: { of: string | undefined; text: string; afterMs?: number }) {
  const last = useRef({ of, text });
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    const before = last.current;
    const speak = () => {
      last.current = { of, text };
      setSpoken(text);
    };
    if (of === undefined || before.of !== of) {
      last.current = { of, text };
      return;
    }
    if (before.text === text) return;
    if (afterMs === 0) return speak();
    const timer = setTimeout(speak, afterMs);
    return () => clearTimeout(timer);
  }, [of, text, afterMs]);
  return <Region>{spoken}</Region>;
}

/** Says what another filter leaves of the list (WCAG 4.1.3); jobs that come and go under the same one say nothing. */
function Found({ store }: { store: Store }) {
  const filter = formatFilter(store.router.filter.value);
  const last = useRef(filter);
  const [found, setFound] = useState('');
  useEffect(() => {
    if (last.current === filter) return;
    const timer = setTimeout(() => {
      last.current = filter;
      setFound(countOf(store));
    }, TYPED_MS);
    return () => clearTimeout(timer);
  }, [store, filter]);
  return <Region>{found}</Region>;
}

function countOf({ router, shown, jobs }: Store): string {
  const all = formatCount(jobs.order.peek().length);
  return isFiltering(router.filter.peek())
    ? `${formatCount(shown.peek().length)} of ${all} jobs`
    : `${all} jobs`;
}

function Region({ children }: { children: string }) {
  return (
    <p class="visually-hidden" aria-live="polite">
      {children}
    </p>
  );
}
