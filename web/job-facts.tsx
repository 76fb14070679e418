import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Job } from '../protocol/job.ts';
import { formatBytes, formatTime } from './units.ts';

/** What does not change, or hardly: for whoever has to look the job up elsewhere. */
export function JobFacts({ job, now }: { job: Job; now: ReadonlySignal<number> }) {
  return (
    <dl class="facts">
      {job.input === undefined ? null : (
        <Fact name="File">
          {formatBytes(job.input.size)}, {job.input.contentType}
        </Fact>
      )}
      <Fact name="Job">
        <code>{job.id}</code>
      </Fact>
      <Fact name="Change">
        <span class="number" data-testid="seq">
          {job.seq}
        </span>
      </Fact>
      <Fact name="Kept until">{formatTime(job.expiresAt, now.value)}</Fact>
      {job.tags.length === 0 ? null : <Fact name="Tags">{job.tags.join(', ')}</Fact>}
    </dl>
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
