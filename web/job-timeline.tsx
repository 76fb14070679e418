import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { StatusChip } from './status-chip.tsx';
import type { Store } from './store.ts';
import { type Span, type Timeline, timelineOf } from './timeline.ts';
import { formatDuration, formatGrowing, formatTime, widthKey } from './units.ts';

/** One line a phase and a step, each with its bar, from the first byte to the result. */
export function JobTimeline({ store, job }: { store: Store; job: Job }) {
  const over = isTerminal(job.status);
  // Only a job that goes on reads the clock.
  const now = over ? 0 : store.now.value - store.traffic.figures.value.offset;
  const timeline = timelineOf(job, store.records.of(job.id).notes.value.steps, now);
  const whole = timeline.to - timeline.from;
  const total = over ? `${formatDuration(whole)} in all` : `${formatGrowing(whole)} so far`;
  return (
    <section class="card timeline-card" aria-labelledby="timeline-title">
      <header class="card-head">
        <h2 id="timeline-title">Timeline</h2>
        <p key={widthKey(total)} class="soft number" data-testid="total">
          {total}
        </p>
      </header>
      <ol class="timeline" data-testid="timeline">
        {timeline.spans.map((span) => (
          <TimelineRow key={span.key} span={span} timeline={timeline} today={store.today.value} />
        ))}
        <li class="timeline-row timeline-end" data-state={over ? 'over' : 'ahead'}>
          <span class="timeline-label">{over ? <StatusChip job={job} /> : 'Result'}</span>
          <span class="timeline-track" aria-hidden="true">
            {over ? <span class="timeline-point" /> : null}
          </span>
          <span class="timeline-duration" />
          <Moment at={over ? timeline.to : undefined} today={store.today.value} />
        </li>
      </ol>
    </section>
  );
}

function TimelineRow({ span, timeline, today }: { span: Span; timeline: Timeline; today: number }) {
  const { from, to } = span;
  const duration = durationOf(span);
  const whole = timeline.to - timeline.from;
  return (
    <li class={`timeline-row timeline-${span.kind}`} data-state={span.state} data-key={span.key}>
      <span class="timeline-label">{span.label}</span>
      <span class="timeline-track" aria-hidden="true">
        {from === undefined || to === undefined ? null : (
          <span
            class="timeline-bar"
            data-open={span.open === true}
            style={{
              '--from': `${(100 * (from - timeline.from)) / whole}%`,
              '--to': `${(100 * (to - timeline.from)) / whole}%`,
            }}
          />
        )}
      </span>
      <span key={widthKey(duration)} class="timeline-duration">
        {duration}
      </span>
      <Moment at={span.open === true ? undefined : from} today={today} />
    </li>
  );
}

function Moment({ at, today }: { at: number | undefined; today: number }) {
  if (at === undefined) return <span class="timeline-time" />;
  const time = new Date(at).toISOString();
  return (
    <time class="timeline-time" dateTime={time}>
      {formatTime(time, today)}
    </time>
  );
}

function durationOf({ state, open, from, to }: Span): string {
  if (state === 'ahead') return '';
  if (state === 'unseen') return 'not seen';
  if (from === undefined || to === undefined) return '';
  const duration = state === 'now' ? formatGrowing(to - from) : formatDuration(to - from);
  return open === true ? `≥ ${duration}` : duration;
}
