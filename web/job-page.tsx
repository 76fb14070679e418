import { SubscriptionRefusedError } from '../client/errors.ts';
import { isTerminal } from '../protocol/status.ts';
import { JobFacts } from './job-facts.tsx';
import { JobHistory } from './job-history.tsx';
import { JobOutcome } from './job-outcome.tsx';
import { JobProgress } from './job-progress.tsx';
import { Notice } from './notice.tsx';
import { StatusChip } from './status-chip.tsx';
import type { Store } from './store.ts';
import { UploadProgress } from './upload-progress.tsx';
import { explain, jobName } from './wording.ts';

/** One job, live. `data-*` say what it shows, for tests and scripts. */
export function JobPage({ store, id }: { store: Store; id: string }) {
  const job = store.jobs.job(id).value;
  const refusal = store.refusal.value;
  if (job === undefined) {
    return refusal === undefined ? <Opening store={store} /> : <Refusal error={refusal} />;
  }
  const upload = store.uploads.state(id)?.value;
  const waiting = job.status === 'awaiting-upload';
  return (
    <article
      class="job"
      data-testid="job"
      data-job={job.id}
      data-epoch={job.epoch}
      data-seq={job.seq}
      data-status={job.status}
      data-stalled={job.stalled}
    >
      <header class="job-head">
        <p class="job-kind">
          <StatusChip job={job} testId="status" />
          <span>{job.kind}</span>
        </p>
        <h1>{jobName(job)}</h1>
      </header>
      {refusal === undefined ? null : (
        <Notice tone="warning" title="This job is no longer watched">
          {explain(refusal)}
        </Notice>
      )}
      {job.stalled ? (
        <Notice tone="warning" title="Nothing heard for a while">
          The work may be slow or stuck. This goes away by itself once it is heard from again.
        </Notice>
      ) : null}
      {waiting ? <UploadProgress upload={upload} now={store.now} /> : <JobProgress job={job} />}
      <JobOutcome job={job} resultUrl={store.resultUrl(id)} />
      {isTerminal(job.status) ? null : (
        <p class="actions">
          <button
            type="button"
            class="secondary"
            data-testid="cancel"
            disabled={store.cancelling.value.has(id)}
            onClick={() => void store.cancel(id)}
          >
            Cancel job
          </button>
        </p>
      )}
      <JobHistory job={job} now={store.now} />
      <JobFacts job={job} now={store.now} />
    </article>
  );
}

function Opening({ store }: { store: Store }) {
  const { status } = store.connection.value;
  if (status === 'connecting' || status === 'live') return <p class="lead">Opening the job…</p>;
  return (
    <Notice tone="warning" title="The server cannot be reached">
      The page goes on trying, and shows the job as soon as there is an answer.
    </Notice>
  );
}

function Refusal({ error }: { error: unknown }) {
  const unknown = error instanceof SubscriptionRefusedError && error.code !== 'too-many-subscriptions';
  return (
    <Notice tone="error" title={unknown ? 'There is no such job here' : 'This job cannot be watched'}>
      {unknown
        ? 'The address may be mistyped, the job may have expired, or it belongs to somebody else.'
        : explain(error)}
    </Notice>
  );
}
