import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Via } from '../client/access.ts';
import type { JobwireClient } from '../client/client.ts';
import type { UploadJobOptions } from '../client/upload-job.ts';
import { useJobwireClient } from './provider.ts';
import { type UploadSnapshot, UploadStore } from './upload-store.ts';
import { type UsedJob, useJob } from './use-job.ts';

/** What is made of files, and how they are sent; counts at each `start`. */
export interface UseUploadOptions extends Omit<UploadJobOptions, 'signal' | 'onProgress'> {
  /** Instead of the provider's. */
  readonly client?: JobwireClient;
  /** As for `useJob`: how the states of the job come. */
  readonly via?: Via | undefined;
  /** As for `useJob`: renders for progress at most once in so many milliseconds. */
  readonly throttleMs?: number;
}

/** What `useUpload` gives: the same object until something in it changes. */
export interface UsedUpload extends UploadSnapshot, Pick<UsedJob, 'job' | 'connection'> {
  /** Sends a file as a new job; stops what is sent already. The same function always; never throws. */
  readonly start: (file: Blob) => void;
  /** Stops sending and cancels the job; harmless when nothing is sent. The same function always. */
  readonly stop: () => void;
}

/**
 * Sends a file and watches the job that it becomes: `progress` counts bytes, `job` is the job as `useJob` gives it,
 * whose `progress.fraction` spans upload and work. A component that goes away stops its upload (not the work that
 * follows), so call this where it stays.
 *
 * ```tsx
 * const { start, progress, job } = useUpload({ kind: 'csv-profile' });
 * return <input type="file" onChange={({ target }) => target.files?.[0] && start(target.files[0])} />;
 * ```
 * @throws MissingClientError without a client.
 */
export function useUpload(options: UseUploadOptions): UsedUpload {
  const { client: given, throttleMs = 0, via, ...uploading } = options;
  const client = useJobwireClient(given);
  const [store] = useState(() => new UploadStore());
  const latest = useRef({ client, throttleMs, uploading });
  useEffect(() => {
    latest.current = { client, throttleMs, uploading };
  });
  const start = useCallback(
    (file: Blob) => {
      const { client, throttleMs, uploading } = latest.current;
      store.start(client, file, uploading, throttleMs);
    },
    [store],
  );
  const { created, ...upload } = useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
  const { status, progress, error } = upload;
  const { job, connection } = useJob(created?.job.id, {
    client,
    throttleMs,
    via,
    ...(created === undefined ? {} : { token: created.token, initialJob: created.job }),
  });
  return useMemo(
    () => ({ status, progress, error, job, connection, start, stop: store.stop }),
    [status, progress, error, job, connection, start, store],
  );
}
