import type { CreateJobInput, Upload, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { MULTIPART_ABOVE_BYTES, type UploadedPart } from '../protocol/upload.ts';
import { ProblemError, UploadRefusedError } from './errors.ts';
import type { HttpApi } from './http.ts';
import type { JobWatch } from './job-watch.ts';
import type { Platform } from './platform.ts';
import { readUpload, type UploadTarget } from './upload-calls.ts';
import { crc32Of } from './upload-crc32.ts';
import { UploadEndedError } from './upload-errors.ts';
import { surroundingStore, UploadMemory, type UploadStore } from './upload-memory.ts';
import { PartsUpload } from './upload-parts.ts';
import { tellProgress } from './upload-progress.ts';
import { UploadReporter } from './upload-report.ts';
import { persist } from './upload-retry.ts';
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

/** How long a ticket is good enough to be tried, in milliseconds: it lives 60 seconds. */
const TICKET_FOR = 30_000;

/** A job whose file is sent. */
interface Target {
  readonly job: Job;
  readonly token: string;
  /** For a first connect before `until`, in milliseconds since the epoch; absent where the job was found again. */
  readonly ticket?: { readonly watch: Watch; readonly until: number };
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
      const isFresh = found.ticket !== undefined && client.platform.clock.now() < found.ticket.until;
      const ticket = isFresh ? found.ticket.watch : undefined;
      return client.watchJob(found.job.id, { ...watching, token: found.token, ticket });
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

  async #create(): Promise<Target> {
    const { platform, api } = this.#client;
    const { signal } = this.#stop;
    const { upload: way } = this.#options;
    // One request is verified by S3 against the file's checksum; parts are not (docs/decisions/0012).
    const isSmall = this.#file.size <= MULTIPART_ABOVE_BYTES;
    const checksum = way !== 'multipart' && isSmall ? { crc32: await crc32Of(this.#file, signal) } : {};
    const input = { ...this.#input, ...checksum };
    const idempotencyKey = this.#options.idempotencyKey ?? randomKey();
    // Not aborted once it is on its way: a job that may have been made must be known, to be cancelled.
    const created = await persist(platform, () => api.create(input, { idempotencyKey }), signal);
    const { job, token, watch, upload } = created;
    const isKnown = this.#options.idempotencyKey !== undefined && upload?.method === 'MULTIPART';
    const state = isKnown ? await this.#stateOf(job.id, token) : { job, upload, uploaded: [] };
    if (state.upload?.method === 'MULTIPART') await this.#memory.remember({ id: job.id, token });
    return { ...state, token, ticket: { watch, until: platform.clock.now() + TICKET_FOR } };
  }

  async #stateOf(id: string, token: string): Promise<Target> {
    const { platform, api } = this.#client;
    const { signal } = this.#stop;
    const { job, upload, uploaded } = await persist(
      platform,
      () => readUpload({ api, id, token }, 1, signal),
      signal,
    );
    return { job, token, upload, uploaded };
  }

  async #send({ job, token, upload, uploaded }: Target): Promise<void> {
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
      const job = await api.read(id, { token });
      return isTerminal(job.status) ? new UploadEndedError(job, { cause: error }) : error;
    } catch {
      return error; // what went wrong first says more
    }
  }

  /** The job of a stopped upload. What cannot be cancelled now expires by itself. */
  async #cancel(): Promise<void> {
    const { platform, api } = this.#client;
    const limit = new AbortController();
    const timer = platform.clock.schedule(CANCEL_WITHIN, () => limit.abort());
    try {
      const { job, token } = await this.target;
      const { signal } = limit;
      await persist(platform, () => api.cancel(job.id, { token, signal }), signal);
    } catch {
      // Never made, ended already, or out of reach: `done` rejects with the signal's reason all the same.
    } finally {
      timer.cancel();
    }
  }
}

/** A key that no other call has. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
