import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { JobwireClient } from '../client/client.ts';
import type { CreatedJob } from '../protocol/http.ts';

/** How far an upload of this page is; bytes, and times in milliseconds since the epoch. */
export type UploadState =
  | { readonly phase: 'sending'; readonly sent: number; readonly total: number; readonly startedAt: number }
  | { readonly phase: 'sent' }
  | { readonly phase: 'stopped' }
  | { readonly phase: 'failed'; readonly error: unknown };

interface Upload {
  readonly state: Signal<UploadState>;
  readonly token: string;
  readonly file: File;
  readonly abort: AbortController;
}

/** The uploads that this page has made since it was opened, by job. */
export class Uploads {
  readonly #client: JobwireClient;
  readonly #uploads = new Map<string, Upload>();

  constructor(client: JobwireClient) {
    this.#client = client;
    window.addEventListener('beforeunload', (event) => {
      if (this.#sending()) event.preventDefault(); // the browser asks whether to leave
    });
  }

  /** Sends the file of a job that has just been made. The outcome is in `state`. */
  start(created: CreatedJob, file: File): void {
    if (created.upload === undefined) return; // an earlier request of the same key has uploaded it already
    const startedAt = Date.now();
    const state = signal<UploadState>({ phase: 'sending', sent: 0, total: file.size, startedAt });
    const abort = new AbortController();
    this.#uploads.set(created.job.id, { state, token: created.token, file, abort });
    this.#client
      .uploadFile(created.upload, file, {
        signal: abort.signal,
        onProgress: ({ sent, total }) => {
          state.value = { phase: 'sending', sent, total, startedAt };
        },
      })
      .then(
        () => {
          state.value = { phase: 'sent' };
        },
        (error: unknown) => {
          state.value = abort.signal.aborted ? { phase: 'stopped' } : { phase: 'failed', error };
        },
      );
  }

  /** The upload of a job, if it was made here. */
  state(job: string): ReadonlySignal<UploadState> | undefined {
    return this.#uploads.get(job)?.state;
  }

  /** The token of a job that was made here. */
  token(job: string): string | undefined {
    return this.#uploads.get(job)?.token;
  }

  /** The file of a job that was made here; the browser keeps a reference to it, not its content. */
  file(job: string): File | undefined {
    return this.#uploads.get(job)?.file;
  }

  /** Stops sending; harmless when nothing is sent. */
  stop(job: string): void {
    this.#uploads.get(job)?.abort.abort();
  }

  #sending(): boolean {
    return [...this.#uploads.values()].some((upload) => upload.state.peek().phase === 'sending');
  }
}
