import type { ReadonlySignal } from '@preact/signals';
import type { Job } from '../protocol/job.ts';
import { jobHash } from './router.ts';
import { StatusChip } from './status-chip.tsx';
import { formatPercent, formatTime } from './units.ts';
import { jobName } from './wording.ts';

/** One line of the list; the whole of it leads to the job. */
export function JobRow(props: {
  job: ReadonlySignal<Job | undefined>;
  now: ReadonlySignal<number>;
  current: boolean;
}) {
  const job = props.job.value;
  if (job === undefined) return null;
  const running = job.status === 'running' && job.progress !== undefined;
  return (
    <li>
      <a
        class="row"
        href={jobHash(job.id)}
        aria-current={props.current ? 'page' : undefined}
        data-testid="job-row"
        data-job={job.id}
        data-seq={job.seq}
        data-status={job.status}
      >
        <span class="row-name">{jobName(job)}</span>
        <time class="row-time" dateTime={job.createdAt}>
          {formatTime(job.createdAt, props.now.value)}
        </time>
        <StatusChip job={job} />
        <span class="row-figure">{running ? formatPercent(job.progress?.fraction ?? 0) : ''}</span>
        <progress
          class="bar bar-thin"
          max={1}
          value={running ? (job.progress?.fraction ?? 0) : 0}
          data-shown={running}
          aria-hidden="true"
        />
      </a>
    </li>
  );
}
