import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { JobWatcher, JobWatchers } from '../protocol/watchers.ts';
import type { Store } from './store.ts';
import { formatCount, formatTime } from './units.ts';
import { explain } from './wording.ts';

/** What each connection has confirmed comes with its pings, every 25 seconds: to ask more often tells nothing new. */
const REFRESH_MS = 15_000;

const TOPICS: Readonly<Record<JobWatcher['topic'], string>> = {
  job: 'this job',
  tag: 'a tag',
  owner: 'all jobs',
};

/** Who watches this job now, and the newest state that each has confirmed. Asked for only while it is open. */
export function WatchersPanel({ store, job }: { store: Store; job: Job }) {
  const open = useSignal(false);
  return (
    <details
      class="card disclosure"
      data-testid="watchers"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        <h2>Who watches</h2>
      </summary>
      {open.value ? <WatchersList store={store} id={job.id} over={isTerminal(job.status)} /> : null}
    </details>
  );
}

type Answer =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly watchers: JobWatchers }
  | { readonly status: 'failed'; readonly error: unknown };

function WatchersList({ store, id, over }: { store: Store; id: string; over: boolean }) {
  const answer = useSignal<Answer>({ status: 'loading' });
  useEffect(() => {
    const abort = new AbortController();
    const ask = async () => {
      const token = store.uploads.token(id);
      try {
        const watchers = await store.client.watchers(id, {
          signal: abort.signal,
          ...(token === undefined ? {} : { token }),
        });
        answer.value = { status: 'ready', watchers };
      } catch (error) {
        if (!abort.signal.aborted) answer.value = { status: 'failed', error };
      }
    };
    void ask();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void ask();
    }, REFRESH_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [store, id, answer]);
  const { value } = answer;
  if (value.status === 'loading') return <p class="soft">Asking…</p>;
  if (value.status === 'failed') return <p class="soft">Nobody can say. {explain(value.error)}</p>;
  const { watchers, count } = value.watchers;
  if (count === 0) return <p class="soft">Nobody{over ? ' any more: the job is over' : ' at the moment'}.</p>;
  return (
    <>
      <table class="watchers">
        <thead>
          <tr>
            <th scope="col">Connection</th>
            <th scope="col">Since</th>
            <th scope="col">Confirmed</th>
          </tr>
        </thead>
        <tbody>
          {watchers.map((watcher) => (
            <tr key={watcher.id} data-testid="watcher">
              <td>
                <code>{watcher.id.slice(0, 8)}</code> <span class="fine">{TOPICS[watcher.topic]}</span>
              </td>
              <td>{formatTime(watcher.since, store.today.value)}</td>
              <td class="number">
                {watcher.confirmed === undefined ? '–' : formatCount(watcher.confirmed.seq)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {count > watchers.length ? (
        <p class="fine">{formatCount(count - watchers.length)} more are not listed.</p>
      ) : null}
    </>
  );
}
