import type { Job } from '../protocol/job.ts';
import { shownStatus } from './shown-status.ts';
import type { UploadState } from './upload-state.ts';
import { STATUS_LABELS } from './wording.ts';

/**
 * The status in a word, with a mark whose shape differs as well as its colour.
 * @param upload the upload of this page, which knows more of a job that waits for its file
 */
export function StatusChip(props: { job: Job; upload?: UploadState | undefined; testId?: string }) {
  const { job, upload, testId } = props;
  const shown = shownStatus(job);
  return (
    <span class={`chip chip-${shown}`} data-testid={testId} data-status={job.status}>
      <span class="chip-mark" aria-hidden="true" />
      {isUploading(job, upload) ? 'Uploading' : STATUS_LABELS[shown]}
    </span>
  );
}

/** Whether the file is on its way: from here, or from elsewhere as its reports say. */
function isUploading({ status, progress }: Job, upload: UploadState | undefined): boolean {
  if (status !== 'awaiting-upload') return false;
  return upload === undefined
    ? progress !== undefined
    : upload.phase === 'sending' || upload.phase === 'sent';
}
