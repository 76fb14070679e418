import { useEffect, useState } from 'preact/hooks';
import type { Store } from './store.ts';
import { connectionLabel, jobName, STATUS_LABELS } from './wording.ts';

/**
 * Tells a screen reader of what matters: another status of the open job, a job that stalls, another state of the
 * connection. Not of percentages.
 */
export function Announcer({ store }: { store: Store }) {
  const route = store.router.route.value;
  const job = route.name === 'job' ? store.jobs.job(route.id).value : undefined;
  const status =
    job === undefined
      ? ''
      : `${jobName(job)}: ${STATUS_LABELS[job.status]}${job.stalled ? ', not heard from for a while' : ''}`;
  return (
    <>
      <Spoken text={status} />
      <Spoken text={connectionLabel(store.connection.value)} />
    </>
  );
}

/** Speaks a text when it changes, but not the one that the page opens with. */
function Spoken({ text }: { text: string }) {
  const [first] = useState(text);
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    if (text !== first) setSpoken(text);
  }, [text, first]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {spoken}
    </p>
  );
}
