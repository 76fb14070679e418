import type { ReadonlySignal } from '@preact/signals';
import { Meter } from './meter.tsx';
import { Notice } from './notice.tsx';
import { formatBytes, formatPercent } from './units.ts';
import type { UploadState } from './uploads.ts';
import { explain } from './wording.ts';

/** The way of the file into storage; without `upload` it is sent by somebody else, or was before a reload. */
export function UploadProgress({
  upload,
  now,
}: {
  upload: UploadState | undefined;
  now: ReadonlySignal<number>;
}) {
  if (upload === undefined) {
    return <Meter title="Waiting for the file" detail="It is sent from elsewhere, or not at all any more." />;
  }
  if (upload.phase === 'failed') {
    return (
      <Notice tone="error" title="The upload failed">
        {explain(upload.error)}
      </Notice>
    );
  }
  if (upload.phase === 'stopped') return <Meter title="The upload was stopped" value={0} />;
  if (upload.phase === 'sent')
    return <Meter title="Uploaded" detail="Waiting for the storage to say so" value={1} />;
  const { sent, total, startedAt } = upload;
  const seconds = (now.value - startedAt) / 1000;
  const rate = seconds < 1 ? '' : `${formatBytes(sent / seconds)}/s`;
  return (
    <Meter
      testId="upload-progress"
      title="Uploading"
      value={sent / total}
      figure={formatPercent(sent / total)}
      detail={`${formatBytes(sent)} of ${formatBytes(total)}`}
      aside={rate}
    />
  );
}
