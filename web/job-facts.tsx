import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Job } from '../protocol/job.ts';
import { formatBytes, formatTime } from './units.ts';

/** What does not change, or hardly: for whoever has to look the job up elsewhere. */
export function JobFacts({ job, today }: { job: Job; today: ReadonlySignal<number> }) {
  return (
    <section class="card" aria-labelledby="facts-title">
      <header class="card-head">
        <h2 id="facts-title">Details</h2>
      </header>
      <dl class="facts">
        <Fact name="Job">
          <code>{job.id}</code>
        </Fact>
        {job.input === undefined ? null : (
          <Fact name="File">
            {formatBytes(job.input.size)}, {job.input.contentType}
          </Fact>
        )}
        <Fact name="Change number">
          <span class="number" data-testid="seq">
            {job.seq}
          </span>
        </Fact>
        <Fact name="Created">{formatTime(job.createdAt, today.value)}</Fact>
        <Fact name="Kept until">{formatTime(job.expiresAt, today.value)}</Fact>
      </dl>
    </section>
  );
}

function Fact(props: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
