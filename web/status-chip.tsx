import type { Job } from '../protocol/job.ts';
import { STATUS_LABELS } from './wording.ts';

/** The status in a word, with a mark whose shape differs as well as its colour. */
export function StatusChip({ job, testId }: { job: Job; testId?: string }) {
  return (
    <span class={`chip chip-${job.status}`} data-testid={testId} data-status={job.status}>
      <span class="chip-mark" aria-hidden="true" />
      {STATUS_LABELS[job.status]}
    </span>
  );
}
