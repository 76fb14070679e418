import type { CreateJobInput } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { Timer } from './clock.ts';
import { ProblemError, UploadRefusedError } from './errors.ts';
import type { HttpApi } from './http.ts';
import type { JobWatch } from './job-watch.ts';
import type { Platform } from './platform.ts';
import type { UploadTarget } from './upload-calls.ts';
import { UploadEndedError } from './upload-errors.ts';
import { surroundingStore, type UploadStore } from './upload-memory.ts';
import { PartsUpload } from './upload-parts.ts';
import { tellProgress } from './upload-progress.ts';
import { UploadReporter } from './upload-report.ts';
import { persist } from './upload-retry.ts';
import { type StartedUpload, UploadStart } from './upload-start.ts';
import { uploadWhole } from './upload-whole.ts';
import type { WatchJobOptions } from './watch-client.ts';

/** How far an upload is. Bytes of the file, and their fraction from 0 to 1; neither goes backwards. */
export interface UploadJobProgress {
  readonly sent: number;
  readonly total: number;
  readonly fraction: number;
}

/** What is made of a file, and how it is sent. */
export interface UploadJobOptions extends Pick<CreateJobInput, 'kind' | 'tags' | 'upload'> {
  /** By default the file's own name, or `upload` where it has none (a Blob). */
  readonly fileName?: string | undefined;
  /** By default the file's own type, or `application/octet-stream` where it has none. */
  readonly contentType?: string | undefined;
  /** Makes the same job of the same call, however often it is made. By default each call makes a job. */
  readonly idempotencyKey?: string | undefined;
  readonly onProgress?: ((progress: UploadJobProgress) => void) | undefined;
  /** Stops sending, and cancels the job. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Where it is kept that an upload in parts has begun, so that the same call with the same file goes on with it. A
   * Blob that is no File has no date to be known by, and begins anew without an `idempotencyKey`. By default the
   * page's `localStorage`; `false` is nowhere.
   */
  readonly resume?: UploadStore | false | undefined;
  /** How many parts are sent at a time; by default 4. */
  readonly parallel?: number | undefined;
}

/** A file on its way. */
export interface JobUpload {
  /** The job, once it is made or found again. */
  readonly job: Promise<Job>;
  readonly id: Promise<string>;
  /** The job's token, for `watchJob` and `cancel`. */
  readonly token: Promise<string>;
  /**
   * Resolves when the storage has the whole file. Rejects with the signal's reason; `UploadEndedError` when the job
   * was cancelled elsewhere or expired; `ProblemError`, `UploadRefusedError`, `UnreachableError` (after some minutes
   * of waiting), `UnexpectedAnswerError`, `UnreadableFileError` (at once). An upload in parts that failed goes on where
   * it was when it is called again.
   */
  readonly done: Promise<void>;
  /** Watches the job, from its upload to its end. */
  watch(options?: Pick<WatchJobOptions, 'signal' | 'via'>): Promise<JobWatch>;
}

/** What uploading takes from the client. */
export interface UploadClient {
  readonly platform: Platform;
  readonly api: HttpApi;
  /** Who calls, where the client was told: nobody goes on with somebody else's upload. */
  readonly subject: string | undefined;
  readonly watchJob: (id: string, options: WatchJobOptions) => JobWatch;
}

/** How long after an abort `done` settles at the latest, in milliseconds; what is not cancelled by then expires. */
const CANCEL_WITHIN = 10_000;

/** Parts at a time: enough to fill a line in spite of the time to answer, few enough for a browser's 6 per host. */
const PARALLEL = 4;

/**
 * Makes a job of a file and sends it: in one request, or in parts when it is large. Returns at once; never throws.
 * Without anybody who listens to `done`, a failure is silent: the job expires.
 */
export function uploadJob(client: UploadClient, file: Blob, options: UploadJobOptions): JobUpload {
  const upload = new RunningUpload(client, file, options);
  const target = upload.target;
  const done = upload.run();
  const job = target.then((found) => found.job);
  const id = job.then((found) => found.id);
  const token = target.then((found) => found.token);
  for (const promise of [job, id, token, done]) promise.catch(() => {}); // whoever asks for one need not ask for all
  return {
    job,
    id,
    token,
    done,
    watch: async (watching = {}) => {
      const found = await target;
      const isFresh = found.ticket !== undefined && client.platform.clock.now() < found.ticket.until;
      const ticket = isFresh ? found.ticket.watch : undefined;
      return client.watchJob(found.job.id, { ...watching, token: found.token, ticket });
    },
  };
}

/** One call of `uploadJob`. */
class RunningUpload {
  readonly target: Promise<StartedUpload>;
  readonly #client: UploadClient;
  readonly #file: Blob;
  readonly #options: UploadJobOptions;
  readonly #start: UploadStart;
  /** Ends everything; its reason is what `done` rejects with. */
  readonly #stop = new AbortController();
  /** Ends also what is done after `#stop`, so that `done` settles whatever hangs. */
  readonly #giveUp = new AbortController();
  #sent = 0;

  constructor(client: UploadClient, file: Blob, options: UploadJobOptions) {
    this.#client = client;
    this.#file = file;
    this.#options = options;
    const { name } = file as Partial<File>; // a File is a Blob with a name
    const { kind, tags, upload, fileName = name ?? 'upload' } = options;
    this.#start = new UploadStart({
      platform: client.platform,
      api: client.api,
      subject: client.subject,
      file,
      input: {
        kind,
        fileName,
        contentType: options.contentType ?? (file.type || 'application/octet-stream'),
        size: file.size,
        ...(tags === undefined ? {} : { tags }),
        ...(upload === undefined ? {} : { upload }),
      },
      idempotencyKey: options.idempotencyKey,
      store: options.resume === false ? undefined : (options.resume ?? surroundingStore()),
      signal: this.#stop.signal,
      giveUp: this.#giveUp.signal,
    });
    this.target = this.#start.find();
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    let timer: Timer | undefined;
    const abort = () => {
      this.#stop.abort(signal?.reason);
      timer = this.#client.platform.clock.schedule(CANCEL_WITHIN, () => this.#giveUp.abort());
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const target = await this.target;
      await this.#send(target);
      await this.#start.forget();
    } catch (error) {
      if (signal?.aborted === true) await this.#cancel();
      if (signal?.aborted === true || error instanceof UploadEndedError) await this.#start.forget();
      throw error;
    } finally {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
      this.#start.release();
    }
  }

  async #send({ job, token, upload, uploaded }: StartedUpload): Promise<void> {
    if (upload === undefined) return;
    const { platform, api } = this.#client;
    const file = this.#file;
    const target = { api, id: job.id, token };
    const reporter = new UploadReporter({
      clock: platform.clock,
      target,
      ended: (ended) => this.#stop.abort(new UploadEndedError(ended)),
    });
    const report = (sent: number) => {
      this.#sent = Math.max(this.#sent, sent); // a part that is sent again does not count back
      reporter.note(this.#sent);
      const fraction = file.size === 0 ? 1 : this.#sent / file.size;
      tellProgress(this.#options.onProgress, { sent: this.#sent, total: file.size, fraction });
    };
    try {
      if (upload.method === 'MULTIPART') {
        const { parallel = PARALLEL } = this.#options;
        const settings = {
          platform,
          target,
          file,
          grant: upload,
          uploaded,
          parallel,
          report,
          stop: this.#stop,
        };
        await new PartsUpload(settings).run();
      } else {
        const { signal } = this.#stop;
        const onProgress = ({ sent }: { readonly sent: number }) => report(sent);
        await uploadWhole({ platform, target, file, grant: upload, onProgress, signal });
      }
    } catch (error) {
      throw await this.#explained(error, target);
    } finally {
      reporter.stop();
    }
  }

  /** Parts that are gone, and a completion that is refused, may mean that the job has ended. */
  async #explained(error: unknown, { api, id, token }: UploadTarget): Promise<unknown> {
    const mayHaveEnded =
      (error instanceof UploadRefusedError && error.status === 404) ||
      (error instanceof ProblemError && error.code === 'conflict');
    if (!mayHaveEnded) return error;
    try {
      const job = await api.read(id, { token, signal: this.#giveUp.signal });
      return isTerminal(job.status) ? new UploadEndedError(job, { cause: error }) : error;
    } catch {
      return error; // what went wrong first says more
    }
  }

  /** The job of a stopped upload. What cannot be cancelled now expires by itself. */
  async #cancel(): Promise<void> {
    const { known } = this.#start;
    if (known === undefined) return;
    const { platform, api } = this.#client;
    const { signal } = this.#giveUp;
    try {
      await persist(platform, () => api.cancel(known.id, { token: known.token, signal }), signal);
    } catch {
      // Ended already, or out of reach: `done` rejects with the signal's reason all the same.
    }
  }
}
