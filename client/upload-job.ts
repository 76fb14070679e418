import type { CreateJobInput, Upload, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { MULTIPART_ABOVE_BYTES, type UploadedPart } from '../protocol/upload.ts';
import type { HttpApi } from './http.ts';
import type { JobWatch } from './job-watch.ts';
import type { Platform } from './platform.ts';
import { uploadFile } from './upload.ts';
import { readUpload } from './upload-calls.ts';
import { crc32Of } from './upload-crc32.ts';
import { UploadEndedError } from './upload-errors.ts';
import { surroundingStore, UploadMemory, type UploadStore } from './upload-memory.ts';
import { PartsUpload } from './upload-parts.ts';
import { UploadReporter } from './upload-report.ts';
import { persist } from './upload-retry.ts';
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
   * Where it is kept that an upload in parts has begun, so that the same call with the same file goes on with it.
   * By default the page's `localStorage`; `false` is nowhere.
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
   * of trying), `UnexpectedAnswerError`. An upload in parts that failed goes on where it was when it is called again.
   */
  readonly done: Promise<void>;
  /** Watches the job, from its upload to its end. */
  watch(options?: Pick<WatchJobOptions, 'signal'>): Promise<JobWatch>;
}

/** What uploading takes from the client. */
export interface UploadClient {
  readonly platform: Platform;
  readonly api: HttpApi;
  readonly watchJob: (id: string, options: WatchJobOptions) => JobWatch;
}

/** How long the cancellation of a stopped upload may take, in milliseconds; the job expires without it, too. */
const CANCEL_WITHIN = 10_000;

/** Parts at a time: enough to fill a line in spite of the time to answer, few enough for a browser's 6 per host. */
const PARALLEL = 4;

/** A job whose file is sent. */
interface Target {
  readonly job: Job;
  readonly token: string;
  readonly watch?: Watch;
  /** Absent where the file is there already. */
  readonly upload?: Upload | undefined;
  readonly uploaded: readonly UploadedPart[];
}

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
      return client.watchJob(found.job.id, { ...watching, token: found.token, ticket: found.watch });
    },
  };
}

/** One call of `uploadJob`. */
class RunningUpload {
  readonly target: Promise<Target>;
  readonly #client: UploadClient;
  readonly #file: Blob;
  readonly #options: UploadJobOptions;
  readonly #input: CreateJobInput;
  readonly #memory: UploadMemory;
  /** Ends everything; its reason is what `done` rejects with. */
  readonly #stop = new AbortController();
  #sent = 0;

  constructor(client: UploadClient, file: Blob, options: UploadJobOptions) {
    this.#client = client;
    this.#file = file;
    this.#options = options;
    const { name, lastModified } = file as Partial<File>; // a File is a Blob with these
    const { kind, tags, upload, fileName = name ?? 'upload' } = options;
    const contentType = options.contentType ?? (file.type || 'application/octet-stream');
    this.#input = {
      kind,
      fileName,
      contentType,
      size: file.size,
      ...(tags === undefined ? {} : { tags }),
      ...(upload === undefined ? {} : { upload }),
    };
    const store = options.resume === false ? undefined : (options.resume ?? surroundingStore());
    const identity = [client.api.base, kind, fileName, contentType, file.size, lastModified ?? 0];
    this.#memory = new UploadMemory(store, identity);
    this.target = this.#find();
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const abort = () => this.#stop.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const target = await this.target;
      await this.#send(target);
      await this.#memory.forget();
    } catch (error) {
      if (signal?.aborted === true) await this.#cancel();
      if (signal?.aborted === true || error instanceof UploadEndedError) await this.#memory.forget();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async #find(): Promise<Target> {
    return (await this.#resume()) ?? (await this.#create());
  }

  /** The job that an earlier call made of this file, if it still waits for it. */
  async #resume(): Promise<Target | undefined> {
    const remembered = await this.#memory.recall();
    if (remembered === undefined) return undefined;
    try {
      return await this.#stateOf(remembered.id, remembered.token);
    } catch (error) {
      // Cancelled, expired, deleted, or of another user: whatever the API says of it, a new job is better.
      if (!(error instanceof ProblemError)) throw error;
      await this.#memory.forget();
      return undefined;
    }
  }
}
