import type { CreateJobInput, Upload, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import type { UploadedPart } from '../protocol/upload.ts';
import { MULTIPART_ABOVE_BYTES } from '../protocol/upload-limits.ts';
import { ProblemError } from './errors.ts';
import type { HttpApi } from './http.ts';
import type { Platform } from './platform.ts';
import { readUpload } from './upload-calls.ts';
import { crc32Of } from './upload-crc32.ts';
import { uploadIdentityOf } from './upload-identity.ts';
import { UploadMemory, type UploadStore } from './upload-memory.ts';
import { persist } from './upload-retry.ts';

/** A job whose file is sent. */
export interface StartedUpload {
  readonly job: Job;
  readonly token: string;
  /** For a first connect before `until`, in milliseconds since the epoch; absent where the job was found again. */
  readonly ticket?: { readonly watch: Watch; readonly until: number };
  /** Absent where the file is there already. */
  readonly upload?: Upload | undefined;
  readonly uploaded: readonly UploadedPart[];
}

/** What it takes to find or make the job of a file. */
export interface UploadStartSettings {
  readonly platform: Platform;
  readonly api: HttpApi;
  readonly subject: string | undefined;
  readonly file: Blob;
  readonly input: CreateJobInput;
  readonly idempotencyKey: string | undefined;
  readonly store: UploadStore | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Ends also what `signal` does not: a job that may have been made must be known, to be cancelled. */
  readonly giveUp: AbortSignal;
}

/** How long a ticket is good enough to be tried, in milliseconds: it lives 60 seconds. */
const TICKET_FOR = 30_000;

/** Finds the job that an earlier call has begun to send the same file for, or makes one. */
export class UploadStart {
  readonly #settings: UploadStartSettings;
  #memory = UploadMemory.none();
  #known: { readonly id: string; readonly token?: string } | undefined;

  constructor(settings: UploadStartSettings) {
    this.#settings = settings;
  }

  /** The job to cancel where the upload is stopped, as far as there is one; without a token it is the caller's. */
  get known(): { readonly id: string; readonly token?: string } | undefined {
    return this.#known;
  }

  /** @throws what `persist` and the API's calls throw; UnreadableFileError. */
  async find(): Promise<StartedUpload> {
    const { file, input, store, signal, idempotencyKey, subject, api } = this.#settings;
    if (this.#mayGoInParts() && store !== undefined) {
      const call = { base: api.base, subject, input, idempotencyKey };
      const identity = await uploadIdentityOf(file, call, signal);
      if (identity !== undefined) this.#memory = await UploadMemory.hold(store, identity);
    }
    return (await this.#resume()) ?? (await this.#create());
  }

  /** Nobody is to go on with this upload: it is complete, or its job has ended. */
  async forget(): Promise<void> {
    await this.#memory.forget();
  }

  /** Lets the next call with the same file go on with this upload. */
  release(): void {
    this.#memory.release();
  }

  /** The job that an earlier call made of this file, if it still waits for it. */
  async #resume(): Promise<StartedUpload | undefined> {
    const remembered = await this.#memory.recall();
    if (remembered === undefined) return undefined;
    const { id, token } = remembered;
    this.#known = { id };
    try {
      // As the caller, not as the token's bearer: where somebody else has signed in meanwhile it is not their job.
      const state = await this.#stateOf(id, undefined);
      this.#known = remembered;
      return { ...state, token };
    } catch (error) {
      // Cancelled, expired, deleted, or of another user: whatever the API says of it, a new job is better.
      if (!(error instanceof ProblemError)) throw error;
      this.#known = undefined;
      return undefined;
    }
  }

  async #create(): Promise<StartedUpload> {
    const { platform, api, file, signal, giveUp } = this.#settings;
    // One request is verified by S3 against the file's checksum; parts are not (docs/decisions/0012).
    const isChecked = this.#settings.input.upload !== 'multipart' && file.size <= MULTIPART_ABOVE_BYTES;
    const checksum = isChecked ? { crc32: await crc32Of(file, signal) } : {};
    const input = { ...this.#settings.input, ...checksum };
    const idempotencyKey = this.#settings.idempotencyKey ?? randomKey();
    const request = { idempotencyKey, signal: giveUp };
    const created = await persist(platform, () => api.create(input, request), signal);
    const { job, token, watch, upload } = created;
    this.#known = { id: job.id, token };
    const mayBeOld = this.#settings.idempotencyKey !== undefined && upload?.method === 'MULTIPART';
    const state = mayBeOld ? await this.#stateOf(job.id, token) : { job, upload, uploaded: [] };
    if (state.upload?.method === 'MULTIPART') await this.#memory.remember({ id: job.id, token });
    return { ...state, token, ticket: { watch, until: platform.clock.now() + TICKET_FOR } };
  }

  /** Whether there may be something to go on with: one request is sent whole or not at all. */
  #mayGoInParts(): boolean {
    const { upload, size } = this.#settings.input;
    return upload === undefined ? size > MULTIPART_ABOVE_BYTES : upload === 'multipart';
  }

  async #stateOf(id: string, token: string | undefined): Promise<Omit<StartedUpload, 'token'>> {
    const { platform, api, signal } = this.#settings;
    const target = { api, id, token };
    const { job, upload, uploaded } = await persist(platform, () => readUpload(target, 1, signal), signal);
    return { job, upload, uploaded };
  }
}

/** A key that no other call has. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
