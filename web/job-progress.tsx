import type { Job, Progress } from '../protocol/job.ts';
import { isKind } from '../protocol/kinds.ts';
import { isTerminal } from '../protocol/status.ts';
import { MULTIPART_ABOVE_BYTES } from '../protocol/upload-limits.ts';
import { Notice } from './notice.tsx';
import type { Store } from './store.ts';
import { formatAbout, formatBytes, formatCount, formatPercent, widthKey } from './units.ts';
import type { UploadState } from './upload-state.ts';
import { explain } from './wording.ts';

/**
 * Upload and work as one progress: how far, how long still, what is being done, and what the processor says. Every
 * line has its place from the beginning, so that nothing moves while the numbers do.
 */
export function JobProgress({ store, job }: { store: Store; job: Job }) {
  const upload = store.uploads.state(job.id)?.value;
  const fraction = store.records.of(job.id).overall.of(job, upload);
  const amount = figures(job, upload);
  const failed = job.status === 'awaiting-upload' && upload?.phase === 'failed' ? upload.error : undefined;
  const idle = isTerminal(job.status) || failed !== undefined;
  if (isTerminal(job.status) && fraction === undefined) return null; // it ended before there was anything to show
  return (
    <div class="progress" data-testid="progress">
      {failed === undefined ? null : <FailedUpload store={store} job={job} error={failed} />}
      <p class="progress-head">
        <span class="progress-figure" data-testid="percent">
          {formatPercent(fraction ?? 0)}
        </span>
        <span class="progress-estimate" data-testid="estimate">
          {idle ? '' : <Remaining store={store} job={job} />}
        </span>
      </p>
      <ProgressBar fraction={fraction} idle={idle} />
      <p class="progress-foot">
        <span data-testid="doing">{doing(job, upload)}</span>
        <span key={widthKey(amount)} class="number">
          {amount}
        </span>
      </p>
      {isTerminal(job.status) && job.message === undefined ? null : (
        <p class="message" data-testid="message">
          {job.message ?? hint(job, upload)}
        </p>
      )}
    </div>
  );
}

/** An upload in parts goes on where it was; any other begins anew, as a new job. */
function FailedUpload({ store, job, error }: { store: Store; job: Job; error: unknown }) {
  const file = store.uploads.file(job.id);
  const { kind } = job;
  const again =
    file === undefined || !isKind(kind) ? undefined : (
      <button type="button" class="quiet" onClick={() => void store.submitAgain(job, file, kind)}>
        Send it again
      </button>
    );
  return (
    <Notice tone="error" title="The upload failed" action={again}>
      {explain(error)}
    </Notice>
  );
}

/** A job that waits shows that something goes on; one for which nothing does shows how far it came. */
function ProgressBar({ fraction, idle }: { fraction: number | undefined; idle: boolean }) {
  const name = 'Progress from upload to result';
  if (fraction === undefined && !idle) return <progress class="bar" max={1} aria-label={name} />;
  return <progress class="bar" max={1} value={fraction ?? 0} aria-label={name} />;
}

/** The one part that the clock moves. */
function Remaining({ store, job }: { store: Store; job: Job }) {
  const estimate = store.records.of(job.id).estimate(store.now.value);
  if (!estimate.known) return <>Time left: unknown</>;
  const what = job.status === 'awaiting-upload' ? 'of the upload left' : 'left';
  // One text: the second of two would be moved by the first, second by second.
  return <>{`${formatAbout(estimate.remainingMs)} ${what}`}</>;
}

function doing(job: Job, upload: UploadState | undefined): string {
  switch (job.status) {
    case 'awaiting-upload':
      return uploadText(job, upload);
    case 'queued':
      return 'Waiting for a free worker';
    case 'running':
      return job.step === undefined
        ? 'Working'
        : `${job.step.name}, step ${job.step.index} of ${job.step.count}`;
    case 'succeeded':
      return 'Done';
    case 'failed':
    case 'cancelled':
    case 'expired':
      return job.step === undefined ? '' : `Got as far as ${job.step.name}`;
  }
}

function uploadText(job: Job, upload: UploadState | undefined): string {
  switch (upload?.phase) {
    case 'sending':
      return 'Uploading';
    case 'sent':
      return 'Uploaded, not confirmed yet';
    case 'stopped':
      return 'The upload was stopped';
    case 'failed':
      return 'Not uploaded';
    case undefined:
      return job.progress === undefined ? 'Waiting for the file' : 'Uploading, not from this page';
  }
}

/**
 * A page that was reloaded has no file to send; the client goes on with an upload in parts that it is given again. This
 * page cannot tell whether it was the one that sent it.
 */
function hint({ status, input }: Job, upload: UploadState | undefined): string {
  if (status !== 'awaiting-upload' || upload !== undefined || (input?.size ?? 0) <= MULTIPART_ABOVE_BYTES)
    return '';
  return 'Sent from here before a reload? Choose the file again in the list.';
}

function figures(job: Job, upload: UploadState | undefined): string {
  if (job.status === 'awaiting-upload' && upload?.phase === 'sending') {
    return `${formatBytes(upload.sent)} of ${formatBytes(upload.total)}`;
  }
  return job.progress === undefined ? '' : progressFigures(job.progress);
}

function progressFigures({ done, total, unit }: Progress): string {
  if (done === undefined) return '';
  const format = unit === 'bytes' ? formatBytes : formatCount;
  const of = total === undefined ? '' : ` of ${format(total)}`;
  return `${format(done)}${of}${unit === undefined || unit === 'bytes' ? '' : ` ${unit}`}`;
}
