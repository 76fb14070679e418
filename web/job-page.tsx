import { SubscriptionRefusedError } from '../client/errors.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { JobFacts } from './job-facts.tsx';
import { JobLog } from './job-log.tsx';
import { JobOutcome } from './job-outcome.tsx';
import { JobProgress } from './job-progress.tsx';
import { JobTimeline } from './job-timeline.tsx';
import { Notice } from './notice.tsx';
import { PageHeading } from './page-heading.tsx';
import { ProfilePreview } from './profile-preview.tsx';
import { RetryButton } from './retry-button.tsx';
import { homeHash } from './router.ts';
import { StatusChip } from './status-chip.tsx';
import type { Store } from './store.ts';
import { WatchersPanel } from './watchers-panel.tsx';
import { explain, jobName } from './wording.ts';

/** One job, live. `data-*` say what it shows, for tests and scripts. */
export function JobPage({ store, id }: { store: Store; id: string }) {
  const job = store.jobs.job(id).value;
  return (
    <div class="job-column">
      <p>
        <a class="back" href={homeHash(store.router.filter.value)} data-testid="back">
          <span aria-hidden="true">←</span> All jobs
        </a>
      </p>
      {job === undefined ? <Missing store={store} /> : <JobView store={store} job={job} />}
    </div>
  );
}

function JobView({ store, job }: { store: Store; job: Job }) {
  const { id } = job;
  return (
    <article
      class="job"
      data-testid="job"
      data-job={id}
      data-epoch={job.epoch}
      data-seq={job.seq}
      data-status={job.status}
      data-stalled={job.stalled}
    >
      <section class="card job-card" aria-labelledby="job-title">
        <header class="job-head">
          <div class="job-names">
            <PageHeading router={store.router} id="job-title">
              {jobName(job)}
            </PageHeading>
            <p class="job-kind">
              <StatusChip job={job} upload={store.uploads.state(id)?.value} testId="status" />
              <span>{job.kind}</span>
              {job.tags.map((tag) => (
                <span key={tag} class="tag">
                  {tag}
                </span>
              ))}
            </p>
          </div>
          <div class="actions">
            {isTerminal(job.status) ? (
              <RetryButton store={store} job={job} />
            ) : (
              <button
                type="button"
                class="secondary"
                data-testid="cancel"
                disabled={store.cancelling.value.has(id)}
                onClick={() => void store.cancel(id)}
              >
                Cancel job
              </button>
            )}
          </div>
        </header>
        <Warnings store={store} job={job} />
        <JobProgress store={store} job={job} />
        <JobOutcome store={store} job={job} />
      </section>
      <JobTimeline store={store} job={job} />
      <ProfilePreview key={job.epoch} results={store.results} job={job} />
      <div class="job-lower">
        <JobLog notes={store.records.of(id).notes} today={store.today} />
        <div class="job-aside">
          <WatchersPanel store={store} job={job} />
          <JobFacts job={job} today={store.today} />
        </div>
      </div>
    </article>
  );
}

function Warnings({ store, job }: { store: Store; job: Job }) {
  const refusal = store.refusal.value;
  if (refusal !== undefined) {
    return (
      <Notice tone="warning" title="This job is no longer watched">
        {explain(refusal)}
      </Notice>
    );
  }
  if (!job.stalled) return null;
  return (
    <Notice tone="warning" title="Nothing heard for a while">
      The work may be slow or stuck. This goes away by itself once it is heard from again.
    </Notice>
  );
}

function Missing({ store }: { store: Store }) {
  return (
    <>
      <PageHeading router={store.router} class="visually-hidden">
        Job
      </PageHeading>
      <WhyMissing store={store} />
    </>
  );
}

function WhyMissing({ store }: { store: Store }) {
  const refusal = store.refusal.value;
  if (refusal !== undefined) return <Refusal error={refusal} />;
  const { status } = store.connection.value;
  if (status === 'reconnecting' || status === 'stale') {
    return (
      <Notice tone="warning" title="The server cannot be reached">
        The page goes on trying, and shows the job as soon as there is an answer.
      </Notice>
    );
  }
  return <p class="lead">Opening the job…</p>;
}

function Refusal({ error }: { error: unknown }) {
  const unknown = error instanceof SubscriptionRefusedError && error.code !== 'too-many-subscriptions';
  return (
    <Notice tone="error" spoken title={unknown ? 'There is no such job here' : 'This job cannot be watched'}>
      {unknown
        ? 'The address may be mistyped, the job may have expired, or it belongs to somebody else.'
        : explain(error)}
    </Notice>
  );
}
