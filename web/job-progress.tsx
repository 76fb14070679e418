import type { Job, Progress } from '../protocol/job.ts';
import { Meter } from './meter.tsx';
import { formatCount, formatPercent } from './units.ts';

/** How far the work is: step, bar, figures, and what the processor says of it. */
export function JobProgress({ job }: { job: Job }) {
  const bar = barOf(job);
  return (
    <div class="job-progress">
      {bar}
      {job.message === undefined ? null : (
        <p class="message" data-testid="message">
          {job.message}
        </p>
      )}
    </div>
  );
}

function barOf(job: Job) {
  if (job.status === 'queued') return <Meter title="Waiting for a free worker" testId="progress" />;
  if (job.status !== 'running' && job.progress === undefined) return null;
  const { progress } = job;
  return (
    <Meter
      testId="progress"
      title={titleOf(job)}
      {...(progress === undefined
        ? {}
        : { value: progress.fraction, figure: formatPercent(progress.fraction) })}
      detail={progress === undefined ? '' : figures(progress)}
      aside={job.step === undefined ? '' : `Step ${job.step.index} of ${job.step.count}`}
    />
  );
}

function titleOf(job: Job): string {
  if (job.status !== 'running') return 'Progress';
  return job.step?.name ?? 'Working';
}

function figures({ done, total, unit }: Progress): string {
  if (done === undefined) return '';
  const of = total === undefined ? '' : ` of ${formatCount(total)}`;
  return `${formatCount(done)}${of}${unit === undefined ? '' : ` ${unit}`}`;
}
