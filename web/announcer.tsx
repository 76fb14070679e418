import { useEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../protocol/job.ts';
import type { Store } from './store.ts';
import { connectionLabel, jobName, STATUS_LABELS } from './wording.ts';

/**
 * Tells a screen reader of what changes in front of it: another status of the open job, a job that stalls, an upload
 * that fails, another state of the connection. Not of percentages, and not of how things stood when they were opened:
 * who opens a page reads it.
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
      <Spoken of="connection" text={connectionLabel(connection)} />
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

/** Speaks a text when it changes, but not the first of what it is about. */
function Spoken({ of, text }: { of: string | undefined; text: string }) {
  const last = useRef({ of, text });
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    const before = last.current;
    last.current = { of, text };
    if (of !== undefined && before.of === of && before.text !== text) setSpoken(text);
  }, [of, text]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {spoken}
    </p>
  );
}
