import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { jobHash } from './router.ts';
import { StatusChip } from './status-chip.tsx';
import type { Store } from './store.ts';
import { formatAbout, formatDuration, formatPercent, formatTime, widthKey } from './units.ts';
import { jobName } from './wording.ts';

/** One line of the list; the whole of it leads to the job. */
export function JobRow({ store, id, current }: { store: Store; id: string; current: boolean }) {
  const job = store.jobs.job(id).value;
  if (job === undefined) return null;
  const upload = store.uploads.state(id)?.value;
  const fraction = store.records.of(id).overall.of(job, upload);
  const shown = fraction !== undefined;
  const percent = shown ? formatPercent(fraction) : '';
  return (
    <li>
      <a
        class="row"
        href={jobHash(id)}
        aria-current={current ? 'page' : undefined}
        data-testid="job-row"
        data-job={id}
        data-seq={job.seq}
        data-status={job.status}
      >
        <span class="row-status">
          <StatusChip job={job} upload={upload} />
        </span>
        <span class="row-name">
          <span class="row-file">{jobName(job)}</span>
          <span class="row-tags">
            {job.tags.map((tag) => (
              <span key={tag} class="tag">
                {tag}
              </span>
            ))}
          </span>
        </span>
        {isTerminal(job.status) ? (
          <span class="row-note row-outcome">{outcome(job)}</span>
        ) : (
          <>
            <span class="row-progress" data-shown={shown}>
              <progress class="bar bar-thin" max={1} value={fraction ?? 0} aria-hidden="true" />
              <span key={widthKey(percent)} class="row-figure">
                {percent}
              </span>
            </span>
            <span class="row-note">
              <Remaining store={store} id={id} />
            </span>
          </>
        )}
        <time class="row-time" dateTime={job.createdAt}>
          {formatTime(job.createdAt, store.today.value)}
        </time>
      </a>
    </li>
  );
}

/** The one part of a row that the clock moves; so the clock draws this anew and nothing else. */
function Remaining({ store, id }: { store: Store; id: string }) {
  const estimate = store.records.of(id).estimate(store.now.value);
  return <>{estimate.known ? `${formatAbout(estimate.remainingMs)} left` : ''}</>;
}

function outcome(job: Job): string {
  if (job.status === 'failed') return job.error?.title ?? '';
  const from = Date.parse(job.createdAt);
  if (job.finishedAt === undefined) return '';
  const took = formatDuration(Date.parse(job.finishedAt) - from);
  return job.status === 'succeeded' ? `in ${took}` : `after ${took}`;
}
