import type { ReadonlySignal } from '@preact/signals';
import type { HistoryEntry, Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { formatDuration, formatGrowing, formatTime } from './units.ts';
import { STATUS_LABELS } from './wording.ts';

/** The way that the job has come: each status with when it began and how long it lasted. */
export function JobHistory({ job, now }: { job: Job; now: ReadonlySignal<number> }) {
  return (
    <section class="history" aria-labelledby="history-title">
      <h2 id="history-title">History</h2>
      <ol data-testid="history">
        {job.history.map((entry, index) => (
          <li key={entry.status} class={`history-entry history-${entry.status}`} data-status={entry.status}>
            <span class="history-status">{STATUS_LABELS[entry.status]}</span>
            <time dateTime={entry.at}>{formatTime(entry.at, now.value)}</time>
            <span class="history-duration">{durationOf(entry, job.history[index + 1], now.value)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function durationOf(entry: HistoryEntry, next: HistoryEntry | undefined, now: number): string {
  if (next !== undefined) return formatDuration(Date.parse(next.at) - Date.parse(entry.at));
  return isTerminal(entry.status) ? '' : formatGrowing(now - Date.parse(entry.at));
}
