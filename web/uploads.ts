import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { JobwireClient } from '../client/client.ts';
import { UploadEndedError } from '../client/upload-errors.ts';
import type { Job } from '../protocol/job.ts';
import type { Kind } from '../protocol/kinds.ts';
import { announce } from './announced-file.ts';
import type { UploadState } from './upload-state.ts';

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

  /**
   * Makes a job of the file and begins to send it; answers with the job. An upload in parts that broke off goes on
   * where it was. How the sending ends is in `state`.
   * @throws what `uploadJob` of the client rejects with before there is a job.
   */
  async start(file: File, kind: Kind, tags: readonly string[]): Promise<Job> {
    const abort = new AbortController();
    const state = signal<UploadState>({ phase: 'sending', sent: 0, total: file.size });
    const { fileName, contentType } = announce(file);
    const upload = this.#client.uploadJob(file, {
      kind,
      fileName,
      contentType,
      tags: [...tags],
      signal: abort.signal,
      onProgress: ({ sent, total }) => {
        state.value = { phase: 'sending', sent, total };
      },
    });
    const [job, token] = await Promise.all([upload.job, upload.token]);
    this.#uploads.set(job.id, { state, token, file, abort });
    upload.done.then(
      () => {
        state.value = { phase: 'sent' };
      },
      (error: unknown) => {
        const stopped = abort.signal.aborted || error instanceof UploadEndedError;
        state.value = stopped ? { phase: 'stopped' } : { phase: 'failed', error };
      },
    );
    return job;
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

  /** Lets go of file and token of a job whose file is not on its way any more. */
  forget(job: string): void {
    if (this.#uploads.get(job)?.state.peek().phase !== 'sending') this.#uploads.delete(job);
  }

  #sending(): boolean {
    return [...this.#uploads.values()].some((upload) => upload.state.peek().phase === 'sending');
  }
}
