import type { JobwireClient } from '../client/client.ts';
import type { UploadJobOptions, UploadJobProgress } from '../client/upload-job.ts';
import type { Job } from '../protocol/job.ts';
import { Throttle } from './throttle.ts';

/** What is known of an upload at one moment. A new object for every change, the same one until then. */
export interface UploadSnapshot {
  /**
   * - `idle`: nothing has been started.
   * - `uploading`: the job is asked for and the file is sent.
   * - `uploaded`: the storage has the whole file; `job` tells how it goes on.
   * - `failed`: `error` says why; nothing more is sent.
   * - `stopped`: by `stop()`, by a new `start()`, or because the component is gone. The job is cancelled.
   */
  readonly status: 'idle' | 'uploading' | 'uploaded' | 'failed' | 'stopped';
  /** Bytes of the file; absent until the first are sent. */
  readonly progress: UploadJobProgress | undefined;
  /** What `JobUpload.done` rejects with. */
  readonly error: unknown;
}

/** An upload, and what it takes to watch its job once that is made. */
export interface UploadState extends UploadSnapshot {
  readonly created: { readonly job: Job; readonly token: string } | undefined;
}

const IDLE: UploadState = { status: 'idle', progress: undefined, error: undefined, created: undefined };

/** The store of one `useUpload`: one upload at a time. */
export class UploadStore {
  readonly #listeners = new Set<() => void>();
  #state = IDLE;
  #running: AbortController | undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  /** Bound, as React wants one function. The last to leave stops what is sent, a turn later: see `SharedWatch`. */
  readonly subscribe = (changed: () => void): (() => void) => {
    clearTimeout(this.#leaving);
    this.#listeners.add(changed);
    return () => {
      this.#listeners.delete(changed);
      this.#leaving = setTimeout(() => this.stop());
    };
  };

  /** What is known now; the same object until that changes. */
  readonly snapshot = (): UploadState => this.#state;

  /** What a server renders. */
  readonly serverSnapshot = (): UploadState => IDLE;

  /** Begins to send a file; what is sent already is stopped. Never throws: what goes wrong is in the snapshot. */
  start(client: JobwireClient, file: Blob, options: UploadJobOptions, throttleMs: number): void {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    this.#state = { ...IDLE, status: 'uploading' };
    this.#tell();
    const throttle = new Throttle(throttleMs, () => this.#tell());
    /** What a stopped upload has still to say is nobody's business. */
    const change = (changes: Partial<UploadState>) => {
      if (this.#running !== running) return;
      this.#state = { ...this.#state, ...changes };
      if ('progress' in changes) throttle.request();
      else throttle.flush();
    };
    const upload = client.uploadJob(file, {
      ...options,
      signal: running.signal,
      onProgress: (progress) => change({ progress }),
    });
    Promise.all([upload.job, upload.token]).then(
      ([job, token]) => change({ created: { job, token } }),
      () => {}, // `done` tells
    );
    upload.done.then(
      () => change({ status: 'uploaded' }),
      (error: unknown) => change({ status: 'failed', error }),
    );
  }

  /** Stops what is sent, and cancels its job; harmless when nothing is. */
  readonly stop = (): void => {
    const running = this.#running;
    if (running === undefined || this.#state.status !== 'uploading') return;
    this.#running = undefined;
    this.#state = { ...this.#state, status: 'stopped' };
    running.abort();
    this.#tell();
  };

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
