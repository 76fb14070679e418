import type { ReadonlySignal } from '@preact/signals';
import type { JobNotes } from './job-record.ts';
import { formatTime } from './units.ts';

/**
 * What the states said that came while this page was open, newest first. No live region: who wants to hear every
 * line goes there and reads.
 */
export function JobLog({ notes, today }: { notes: ReadonlySignal<JobNotes>; today: ReadonlySignal<number> }) {
  const { lines } = notes.value;
  return (
    <section class="card" aria-labelledby="log-title">
      <header class="card-head">
        <h2 id="log-title">Log</h2>
        <p class="fine">Kept while this page is open</p>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section class="log" tabIndex={0} aria-label="Log, newest first">
        <ol data-testid="log">
          {lines.map((line) => (
            <li key={`${line.seq} ${line.kind} ${line.text}`} class={`log-line log-${line.kind}`}>
              <time dateTime={line.at}>{formatTime(line.at, today.value)}</time>
              <span class="number log-seq">{line.seq}</span>
              <span class="log-text">{line.text}</span>
            </li>
          ))}
        </ol>
      </section>
    </section>
  );
}
